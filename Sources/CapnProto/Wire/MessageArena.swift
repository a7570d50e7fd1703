// Safety. The one owner of a message's memory. `@unchecked Sendable` is sound because an arena is
// reachable from two tasks only after `freeze`: until then its builder (`~Copyable`, not Sendable)
// is the only way to it, and from then on nothing is written but the atomics of the traversal limit.
// Once its `ArenaOwner` is gone and no reference is left, it has one owner again: the pool, whose
// exchange orders what the last message wrote before what the next one reads.

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
  /// At the front of one block, which goes on with the first segment's descriptor, the first table
  /// of segments, and the words that the message starts with: most messages need no more.
  @usableFromInline let header: ArenaPointer

  /// Capabilities that pointers of this message refer to by index; nil where the peer sent none.
  var capabilities: [(any CapabilityHook)?] {
    get { unsafe table ?? [] }
    set { unsafe table = newValue.isEmpty ? nil : newValue }
  }

  // No access to what follows runs other code: what is overwritten is still held by `dropped`, or let
  // go after the store. Most messages have no capabilities, and then there are no arrays to let go of.

  @exclusivity(unchecked) nonisolated(unsafe) private var table: [(any CapabilityHook)?]?
  /// Capabilities that no pointer refers to any more. They are let go once the pointers are as they
  /// will be, as that may run code of others. A text or data promises to release nothing, so what it
  /// overwrites stays here until something else is erased or added.
  @exclusivity(unchecked) nonisolated(unsafe) private var dropped: [any CapabilityHook]?
  /// Whose the segments' words are.
  enum Words {
    /// The first segment's lie in the arena's block, any further one's in a block of its own.
    /// Builders write to them.
    case building
    /// As while building, but nothing is written to them any more.
    case frozen
    /// All lie in the arena's block.
    case oneBlock
    /// The caller's, for the length of a call.
    case borrowed
  }
  @exclusivity(unchecked) nonisolated(unsafe) private var words: Words

  /// What becomes of the arena when its message is gone.
  private enum Use {
    /// It is freed.
    case single
    /// It is kept for another message to build, or its block is, where a reference kept the arena
    /// for longer than that.
    case building
    /// It is kept for another message of one segment to read in place.
    case reading
  }
  private let use: Use

  // Blocks with room for the most words of a first segment that is pooled, which are zero, so that
  // what is cleared for each message is what the one before has used, and not the whole block.
  private static let blocks = Pool()
  private static let arenasToBuildIn = Pool()
  private static let arenasToReadIn = Pool()
  /// First segments that come from the pool. Smaller ones are cheap to allocate.
  private static let pooledWords = 128...1024

  /// Whose the segments' words are if they are borrowed for as long as the arena is there.
  nonisolated(unsafe) private var lender: (any AnyObject & Sendable)?

  /// Whether a reader may be kept: the words are owned and are not written to any more.
  var isRetainable: Bool {
    unsafe words == .frozen || words == .oneBlock || lender != nil
  }

  /// An arena of one segment, of whose words so many are in use.
  private init(
    block: UnsafeMutableRawPointer, use: Use, traversalWords: Int, tableCapacity: Int,
    words: Words, start: UnsafeMutableRawPointer, used: Int, capacity: Int
  ) {
    unsafe self.words = words
    self.use = use
    unsafe (block + Self.tableOffset)
      .bindMemory(to: SegmentPointer.self, capacity: tableCapacity)
    unsafe (block + Self.firstSegmentOffset).bindMemory(to: Segment.self, capacity: 1)
    unsafe header = block.bindMemory(to: ArenaHeader.self, capacity: 1)
    unsafe begin(
      at: start, used: used, capacity: capacity, tableCapacity: tableCapacity,
      traversalWords: traversalWords)
  }

  /// Makes one segment of which so many words are in use.
  private func begin(
    at start: UnsafeMutableRawPointer, used: Int, capacity: Int, tableCapacity: Int,
    traversalWords: Int
  ) {
    let table = unsafe (block + Self.tableOffset).assumingMemoryBound(to: SegmentPointer.self)
    let first = unsafe (block + Self.firstSegmentOffset).assumingMemoryBound(to: Segment.self)
    unsafe header.initialize(
      to: ArenaHeader(
        traversalWords: traversalWords, segments: table, count: 1, capacity: tableCapacity,
        owner: .passUnretained(self)))
    unsafe first.initialize(
      to: Segment(start: start, used: used, capacity: capacity, arena: header, id: 0))
    unsafe table.initialize(to: first)
  }

  /// An arena to build in, with one segment of zeroed words, of which the first is the root's.
  static func toBuildIn(firstSegmentWords: Int) -> MessageArena {
    // Far pointers reach 2^29 words.
    let capacity = min(max(1, firstSegmentWords), 1 << 29 - 1)
    guard pooledWords.contains(capacity) else {
      return unsafe MessageArena(block: allocateBlock(words: capacity), .single, capacity)
    }
    guard let kept = unsafe arenasToBuildIn.take() else {
      let block = unsafe blocks.take() ?? allocateBlock(words: pooledWords.upperBound)
      return unsafe MessageArena(block: block, .building, capacity)
    }
    let arena = unsafe Unmanaged<MessageArena>.fromOpaque(kept).takeRetainedValue()
    unsafe arena.words = .building
    unsafe arena.begin(
      at: arena.wordsToBuildIn, used: 1, capacity: capacity,
      tableCapacity: segmentsToBuildIn, traversalWords: .max)
    return arena
  }

  private convenience init(block: UnsafeMutableRawPointer, _ use: Use, _ capacity: Int) {
    unsafe self.init(
      block: block, use: use, traversalWords: .max, tableCapacity: Self.segmentsToBuildIn,
      words: .building, start: block + Self.wordsOffset(segments: Self.segmentsToBuildIn),
      used: 1, capacity: capacity)
  }

  /// An arena of segments that lie in one run of words of the caller's, who keeps them for as long.
  static func toRead(
    _ words: UnsafeMutableRawPointer, _ table: borrowing SegmentTable, limits: ReaderLimits
  ) -> MessageArena {
    guard table.count == 1 else {
      return unsafe MessageArena(borrowing: words, table, limits: limits)
    }
    let traversalWords = max(0, limits.traversalWords)
    guard let kept = unsafe arenasToReadIn.take() else {
      return unsafe MessageArena(
        block: allocate(blockBytes(segments: 1, words: 0), zeroed: false), use: .reading,
        traversalWords: traversalWords, tableCapacity: 1, words: .borrowed, start: words,
        used: table[0], capacity: table[0])
    }
    let arena = unsafe Unmanaged<MessageArena>.fromOpaque(kept).takeRetainedValue()
    unsafe arena.begin(
      at: words, used: table[0], capacity: table[0], tableCapacity: 1,
      traversalWords: traversalWords)
    return arena
  }

  /// Whether the arena may be kept for another message: it has one segment, and no table beside the
  /// block for more of them, as a message has that was cleared.
  var isReusable: Bool {
    unsafe use != .single && header.pointee.segmentCount == 1
      && header.pointee.segments == block + Self.tableOffset
  }

  /// Keeps the arena for another message. Nothing else may refer to it, nor to its content.
  static func keep(_ arena: consuming MessageArena) {
    arena.letGoOfCapabilities()
    let isToBuildIn = arena.use == .building
    if isToBuildIn { arena.clearFirstSegment() }
    let kept = unsafe Unmanaged.passRetained(arena).toOpaque()
    // Another thread may have it at once, and end the message that it builds there: a reference that
    // is still here would keep that message's capabilities, and let go of them on this thread.
    _ = consume arena
    let rest = unsafe isToBuildIn ? arenasToBuildIn.give(kept) : arenasToReadIn.give(kept)
    if let rest = unsafe rest { unsafe Unmanaged<MessageArena>.fromOpaque(rest).release() }
  }

  /// An arena of segments that lie in one run of words, which the caller fills at once, at
  /// ``blockWords``: until then they hold what the heap had there.
  convenience init(filling table: borrowing SegmentTable, limits: ReaderLimits?) {
    let segments = table.count
    let block = unsafe Self.allocate(
      Self.blockBytes(segments: segments, words: table.words), zeroed: false)
    unsafe self.init(
      block: block, start: block + Self.wordsOffset(segments: segments), table, .oneBlock,
      limits: limits)
  }

  /// An arena of segments that lie in one run of words of the caller's.
  ///
  /// - Parameters:
  ///   - words: what the segments hold.
  ///   - table: the head of the frame.
  ///   - limits: bounds on reading the message.
  ///   - lender: what keeps the words; nil where the caller sees to it.
  convenience init(
    borrowing words: UnsafeMutableRawPointer, _ table: borrowing SegmentTable,
    limits: ReaderLimits, from lender: (any AnyObject & Sendable)? = nil
  ) {
    let block = unsafe Self.allocate(
      Self.blockBytes(segments: table.count, words: 0), zeroed: false)
    unsafe self.init(block: block, start: words, table, .borrowed, limits: limits)
    unsafe self.lender = lender
  }

  /// An arena of one segment, of the caller's, with a table for so many.
  convenience init(
    borrowing first: UnsafeRawBufferPointer, segments: Int, limits: ReaderLimits
  ) {
    let block = unsafe Self.allocate(
      Self.blockBytes(segments: max(1, segments), words: 0), zeroed: false)
    let words = first.count / 8
    unsafe self.init(
      block: block, use: .single, traversalWords: max(0, limits.traversalWords),
      tableCapacity: max(1, segments), words: .borrowed,
      start: Self.address(of: first) ?? block, used: words, capacity: words)
  }

  /// Adds a segment over whole words that outlive the arena.
  func addBorrowed(_ bytes: UnsafeRawBufferPointer) {
    let words = bytes.count / 8
    unsafe addSegment(start: Self.address(of: bytes) ?? block, used: words, capacity: words)
  }

  /// Never written to: only builders write, and none is made over such an arena. No words have no
  /// address, yet a segment has one.
  private static func address(of words: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer? {
    unsafe words.baseAddress.map { unsafe UnsafeMutableRawPointer(mutating: $0) }
  }

  private convenience init(
    block: UnsafeMutableRawPointer, start: UnsafeMutableRawPointer,
    _ table: borrowing SegmentTable, _ words: Words, limits: ReaderLimits?
  ) {
    unsafe self.init(
      block: block, use: .single, traversalWords: max(0, limits?.traversalWords ?? .max),
      tableCapacity: table.count, words: words, start: start, used: table[0], capacity: table[0])
    if table.count > 1 { unsafe addSegments(table, after: start) }
  }

  /// Adds the segments past the first.
  private func addSegments(_ table: borrowing SegmentTable, after first: UnsafeMutableRawPointer) {
    var start = unsafe first + table[0] * 8
    for index in 1..<table.count {
      let size = table[index]
      unsafe addSegment(start: start, used: size, capacity: size)
      unsafe start += size * 8
    }
  }

  /// Segments for which the first table of a message being built has room.
  private static var segmentsToBuildIn: Int { 4 }

  private static var firstSegmentOffset: Int { MemoryLayout<ArenaHeader>.stride }
  private static var tableOffset: Int { firstSegmentOffset + MemoryLayout<Segment>.stride }
  private static func wordsOffset(segments: Int) -> Int {
    unsafe tableOffset + segments * MemoryLayout<SegmentPointer>.stride
  }
  /// Bytes of a block for a table of so many segments and so many words.
  private static func blockBytes(segments: Int, words: Int) -> Int {
    wordsOffset(segments: segments) + words * 8
  }

  private var block: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(header) }

  /// The first word of an arena of one block.
  var blockWords: UnsafeMutableRawPointer {
    unsafe block + Self.wordsOffset(segments: header.pointee.segmentCapacity)
  }

  private var wordsToBuildIn: UnsafeMutableRawPointer {
    unsafe block + Self.wordsOffset(segments: Self.segmentsToBuildIn)
  }

  private func deallocateTable() {
    let table = unsafe header.pointee.segments
    if unsafe table != block + Self.tableOffset { unsafe table.deallocate() }
  }

  deinit {
    if unsafe header.pointee.segmentCount > 1 { dropSegments() }
    if use == .building { clearFirstSegment() }
    deallocateTable()
    let unused = use == .building ? unsafe Self.blocks.give(block) : unsafe block
    if let unused = unsafe unused { unsafe free(unused) }
  }

  /// Frees all segments but the first.
  private func dropSegments() {
    for index in 1..<(unsafe header.pointee.segmentCount) {
      let segment = unsafe header.pointee.segments[index]
      switch unsafe words {
      case .building, .frozen: unsafe free(segment.pointee.start)
      case .oneBlock, .borrowed: break
      }
      unsafe segment.deallocate()
    }
    unsafe header.pointee.segmentCount = 1
  }

  private func clearFirstSegment() {
    let first = unsafe header.pointee.segments[0]
    unsafe first.pointee.start.initializeMemory(
      as: UInt8.self, repeating: 0, count: first.pointee.used &* 8)
  }

  /// Goes back to one segment and a null root. Nothing may refer to the message's content.
  func clear() {
    dropSegments()
    clearFirstSegment()
    unsafe header.pointee.segments[0].pointee.used = 1
    unsafe header.pointee.segments[0].pointee.lastEmpty = 0
    letGoOfCapabilities()
  }

  private func letGoOfCapabilities() {
    if unsafe table != nil { unsafe table = nil }
    letGoOfDropped()
  }

  /// Lets go of the capabilities that no pointer refers to any more.
  func letGoOfDropped() {
    if unsafe dropped != nil { unsafe dropped = nil }
  }

  /// Memory from the heap, aligned for any load.
  private static func allocate(_ bytes: Int, zeroed: Bool) -> UnsafeMutableRawPointer {
    // The C library finds a small block at once where it need not be zero.
    let isCleared = zeroed && bytes <= Self.clearedBytes
    guard let block = unsafe zeroed && !isCleared ? calloc(bytes, 1) : malloc(bytes) else {
      preconditionFailure("out of memory: \(bytes) bytes for a message")
    }
    if isCleared {
      unsafe block.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    }
    return unsafe block
  }

  /// Up to which glibc keeps blocks for each thread, which its `calloc` does not look at.
  private static let clearedBytes = 1032

  /// A block to build in.
  private static func allocateBlock(words: Int) -> UnsafeMutableRawPointer {
    unsafe allocate(blockBytes(segments: segmentsToBuildIn, words: words), zeroed: true)
  }

  /// Words from the heap: of those that the caller fills, which come first, the last one is zero, and so
  /// is what follows.
  static func allocateWords(_ count: Int, filled: Int) -> UnsafeMutableRawPointer {
    // The system has zeroed pages, which most of a large segment may never need more than.
    guard filled > count / 2 else { return unsafe allocate(max(1, count) * 8, zeroed: true) }
    let words = unsafe allocate(count * 8, zeroed: false)
    let last = filled - 1
    unsafe (words + last * 8).initializeMemory(
      as: UInt8.self, repeating: 0, count: (count - last) * 8)
    return unsafe words
  }

  /// Adds a further segment over words that the arena owns from here on, or that outlive it.
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
    let segment = SegmentPointer.allocate(capacity: 1)
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
    letGoOfDropped()
    unsafe header.pointee.traversalLimit = max(0, limits.traversalWords)
    unsafe header.pointee.traversalWords.store(max(0, limits.traversalWords), ordering: .relaxed)
  }

  /// The place of the root pointer, or nil where there is none.
  func root(nesting: UInt16) -> RawPointer? {
    guard segmentCount > 0, usedWords(inSegment: 0) > 0 else { return nil }
    let segment = unsafe header.pointee.segments[0]
    return unsafe RawPointer(segment: segment, place: segment.pointee.start, nesting: nesting)
  }

  func capability(_ index: UInt32) -> (any CapabilityHook)? {
    guard let table = unsafe table, index < table.count else { return nil }
    return table[Int(index)]
  }

  /// Adds a capability to the table of a message that is being built.
  func addCapability(_ hook: any CapabilityHook) -> UInt32 {
    letGoOfDropped()
    guard let index = unsafe table?.count else {
      unsafe table = [hook]
      return 0
    }
    unsafe table?.append(hook)
    return UInt32(truncatingIfNeeded: index)
  }

  /// Forgets a capability that no pointer of a message being built refers to any more.
  func dropCapability(_ index: UInt32) {
    guard let hook = capability(index) else { return }
    if unsafe dropped?.append(hook) == nil { unsafe dropped = [hook] }
    unsafe table?[Int(index)] = nil
  }
}
