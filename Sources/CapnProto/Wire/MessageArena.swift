// Safety. The one owner of a message's memory. `@unchecked Sendable` is sound because an arena is
// reachable from two tasks only after `freeze`: until then its builder (`~Copyable`, not Sendable)
// is the only way to it, and from then on nothing is written but the atomic traversal count.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Owns the segments and the capability table of one message.
@safe @usableFromInline
final class MessageArena: @unchecked Sendable {
  @usableFromInline let header: ArenaPointer
  /// Capabilities that pointers of this message refer to by index; nil where the peer sent none.
  nonisolated(unsafe) var capabilities: [(any CapabilityHook)?] = []
  /// Who frees the segments' words.
  enum Words {
    /// Each segment is a block of its own, and builders write to them.
    case building
    /// Each segment is a block of its own, and nothing is written to them any more.
    case frozen
    /// All segments lie in one block, which starts with the first.
    case oneBlock
    /// The words are the caller's, for the length of a call.
    case borrowed
  }
  nonisolated(unsafe) private var words: Words

  /// Whether a reader may be kept: the words are owned and are not written to any more.
  var isRetainable: Bool { unsafe words == .frozen || words == .oneBlock }

  /// An arena without segments.
  init(limits: ReaderLimits?, segmentCapacity: Int, words: Words) {
    unsafe self.words = words
    let capacity = max(1, segmentCapacity)
    let block = unsafe UnsafeMutableRawPointer.allocate(
      byteCount: Self.tableOffset + capacity * MemoryLayout<SegmentPointer>.stride, alignment: 8)
    unsafe header = block.bindMemory(to: ArenaHeader.self, capacity: 1)
    unsafe header.initialize(
      to: ArenaHeader(
        traversalWords: max(0, limits?.traversalWords ?? .max),
        segments: (block + Self.tableOffset)
          .bindMemory(to: SegmentPointer.self, capacity: capacity),
        capacity: capacity, owner: .passUnretained(self)))
  }

  // The header's block goes on with the first segment's descriptor and with the first table of
  // segments: most messages have one segment, and need no further descriptors.
  private static var firstSegmentOffset: Int { MemoryLayout<ArenaHeader>.stride }
  private static var tableOffset: Int { firstSegmentOffset + MemoryLayout<Segment>.stride }

  private var block: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(header) }

  private func deallocateTable() {
    let table = unsafe header.pointee.segments
    if unsafe table != block + Self.tableOffset { unsafe table.deallocate() }
  }

  deinit {
    for index in 0..<(unsafe header.pointee.segmentCount) {
      let segment = unsafe header.pointee.segments[index]
      switch unsafe words {
      case .building, .frozen: unsafe free(segment.pointee.start)
      case .oneBlock: if index == 0 { unsafe free(segment.pointee.start) }
      case .borrowed: break
      }
      unsafe segment.deinitialize(count: 1)
      if index > 0 { unsafe segment.deallocate() }
    }
    deallocateTable()
    unsafe header.deinitialize(count: 1)
    unsafe block.deallocate()
  }

  /// Zeroed words from the heap, aligned for any load.
  static func allocateWords(_ count: Int) -> UnsafeMutableRawPointer {
    guard let words = unsafe calloc(max(1, count), 8) else {
      preconditionFailure("out of memory: \(count) words for a message")
    }
    return unsafe words
  }

  /// Adds a segment over words that the arena owns from here on, or that outlive it.
  @discardableResult
  func addSegment(start: UnsafeMutableRawPointer, used: Int, capacity: Int) -> SegmentPointer {
    let count = unsafe header.pointee.segmentCount
    if unsafe count == header.pointee.segmentCapacity {
      let table = UnsafeMutablePointer<SegmentPointer>.allocate(capacity: count * 2)
      unsafe table.initialize(from: header.pointee.segments, count: count)
      deallocateTable()
      unsafe header.pointee.segments = table
      unsafe header.pointee.segmentCapacity = count * 2
    }
    let segment =
      count == 0
      ? unsafe (block + Self.firstSegmentOffset).bindMemory(to: Segment.self, capacity: 1)
      : SegmentPointer.allocate(capacity: 1)
    unsafe segment.initialize(
      to: Segment(
        start: start, used: used, capacity: capacity, arena: header,
        id: UInt32(truncatingIfNeeded: count)))
    unsafe (header.pointee.segments + count).initialize(to: segment)
    unsafe header.pointee.segmentCount = count + 1
    return unsafe segment
  }

  var segmentCount: Int { unsafe header.pointee.segmentCount }

  /// Words in use in the segment at the index.
  func usedWords(inSegment index: Int) -> Int {
    precondition(index >= 0 && index < segmentCount)
    return unsafe header.pointee.segments[index].pointee.used
  }

  /// Calls the body with each segment's words in use, in order.
  func forEachSegment(_ body: (UnsafeRawBufferPointer) -> Void) {
    for index in 0..<segmentCount {
      let segment = unsafe header.pointee.segments[index]
      unsafe body(
        UnsafeRawBufferPointer(start: segment.pointee.start, count: segment.pointee.used &* 8))
    }
  }

  /// Ends building: from here on readers may be kept and shared, within the limits.
  func freeze(limits: ReaderLimits) {
    if unsafe words == .building { unsafe words = .frozen }
    unsafe header.pointee.traversalWords.store(max(0, limits.traversalWords), ordering: .relaxed)
  }

  /// The place of the root pointer, or nil where there is none.
  func root(nesting: UInt16) -> RawPointer? {
    guard segmentCount > 0, usedWords(inSegment: 0) > 0 else { return nil }
    let segment = unsafe header.pointee.segments[0]
    return unsafe RawPointer(segment: segment, place: segment.pointee.start, nesting: nesting)
  }

  func capability(_ index: UInt32) -> (any CapabilityHook)? {
    unsafe index < capabilities.count ? capabilities[Int(index)] : nil
  }

  /// Adds a capability to the table of a message that is being built.
  func addCapability(_ hook: any CapabilityHook) -> UInt32 {
    unsafe capabilities.append(hook)
    return unsafe UInt32(truncatingIfNeeded: capabilities.count - 1)
  }

  /// Forgets a capability that no pointer of a message being built refers to any more.
  func dropCapability(_ index: UInt32) {
    if unsafe index < capabilities.count { unsafe capabilities[Int(index)] = nil }
  }
}
