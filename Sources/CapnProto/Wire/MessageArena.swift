// Safety. The one owner of a message's memory. Some of it lies in the object itself, behind its fields:
// objects never move, and what lies there has the same distance from the object for good, so the
// addresses hold as long as the arena is there, past the calls that tell them.
// An arena is not Sendable, and those that share it answer for it with `@unchecked`, which is sound
// because it is reachable from two tasks only after `freeze`: until then its builder (`~Copyable`, not
// Sendable) is the only way to it, and from then on nothing is written but the atomics of the traversal
// limit. Once its `ArenaOwner` is gone and no reference is left, it has one owner again: the pool, whose
// exchange orders what the last message wrote before what the next one reads.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a message's arena holds beside the descriptors of its segments.
@safe @usableFromInline
struct ArenaState {
  /// Whose the segments' words are.
  enum Words {
    /// The arena's: the first segment's, and any further one's in a block of its own. Builders write to
    /// them.
    case building
    /// As while building, but nothing is written to them any more.
    case frozen
    /// The arena's, all of them behind its descriptors.
    case oneBlock
    /// The caller's, for the length of a call.
    case borrowed
  }
  fileprivate var words: Words

  /// What becomes of the arena when its message is gone.
  fileprivate enum Use {
    /// It is freed.
    case single
    /// It is kept for another message to build, or its block is, where a reference kept the arena
    /// for longer than that.
    case building
    /// It is kept for another message of one segment to read in place.
    case reading
  }
  fileprivate let use: Use

  /// The words of the first segment that the arena owns; nil where they lie behind its descriptors, or are
  /// not the arena's.
  fileprivate let block: UnsafeMutableRawPointer?

  fileprivate var capabilities: [(any CapabilityHook)?]?
  /// Capabilities that no pointer refers to any more. They are let go once the pointers are as they
  /// will be, as that may run code of others. A text or data promises to release nothing, so what it
  /// overwrites stays here until something else is erased or added.
  fileprivate var dropped: [any CapabilityHook]?

  /// What keeps the segments' words if they are borrowed for as long as the arena is there.
  fileprivate var lender: (any AnyObject & Sendable)?
}

/// Owns the segments and the capability table of one message.
///
/// Behind the fields lie the first segment's descriptor, the first table of segments, and the words that a
/// small message starts with: most messages need no more.
@safe @usableFromInline
final class MessageArena: ManagedBuffer<ArenaState, UInt64> {
  /// What all segments share.
  @usableFromInline var head: ArenaPointer {
    unsafe withUnsafeMutablePointerToElements {
      unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: ArenaHeader.self)
    }
  }

  // No access through it runs other code: what is overwritten is still held by `dropped`, or let go
  // after the store. Most messages have no capabilities, and then there are no arrays to let go of.
  private var state: UnsafeMutablePointer<ArenaState> {
    unsafe withUnsafeMutablePointerToHeader { unsafe $0 }
  }

  /// Capabilities that pointers of this message refer to by index; nil where the peer sent none.
  var capabilities: [(any CapabilityHook)?] {
    get { unsafe state.pointee.capabilities ?? [] }
    set { unsafe state.pointee.capabilities = newValue.isEmpty ? nil : newValue }
  }

  // Blocks with room for the most words of a first segment that is pooled, which are zero, so that
  // what is cleared for each message is what the one before has used, and not the whole block.
  private static let blocks = Pool()
  private static let arenasToBuildIn = Pool()
  private static let arenasToReadIn = Pool()
  /// First segments that come from the pool. Smaller ones are cheap to allocate.
  private static let pooledWords = 128...1024

  /// Whether a reader may be kept: the words are owned and are not written to any more.
  var isRetainable: Bool {
    switch unsafe state.pointee.words {
    case .frozen, .oneBlock: true
    case .building, .borrowed: unsafe state.pointee.lender != nil
    }
  }

  /// An arena with room for a table of so many segments and so many words behind it.
  private static func make(
    segments: Int, words: Int, _ kind: ArenaState.Words, _ use: ArenaState.Use = .single,
    block: UnsafeMutableRawPointer? = nil
  ) -> MessageArena {
    let made = create(minimumCapacity: wordsOffset(segments: segments) / 8 + words) { _ in
      unsafe ArenaState(words: kind, use: use, block: block)
    }
    let arena = unsafe unsafeDowncast(made, to: MessageArena.self)
    let start = unsafe UnsafeMutableRawPointer(arena.head)
    unsafe start.bindMemory(to: ArenaHeader.self, capacity: 1)
    unsafe (start + tableOffset).bindMemory(to: SegmentPointer.self, capacity: segments)
    unsafe (start + firstSegmentOffset).bindMemory(to: Segment.self, capacity: 1)
    return arena
  }

  /// Makes one segment of which so many words are in use.
  private func begin(
    at start: UnsafeMutableRawPointer, used: Int, capacity: Int, tableCapacity: Int,
    traversalWords: Int
  ) {
    let head = unsafe head
    let table = unsafe firstTable
    let first = unsafe (UnsafeMutableRawPointer(head) + Self.firstSegmentOffset)
      .assumingMemoryBound(to: Segment.self)
    unsafe head.initialize(
      to: ArenaHeader(
        traversalWords: traversalWords, segments: table, count: 1, capacity: tableCapacity,
        owner: .passUnretained(self)))
    unsafe first.initialize(
      to: Segment(start: start, used: used, capacity: capacity, arena: head, id: 0))
    unsafe table.initialize(to: first)
  }

  /// An arena to build in, with one segment of zeroed words, of which the first is the root's.
  static func toBuildIn(firstSegmentWords: Int) -> MessageArena {
    // Far pointers reach 2^29 words.
    let capacity = min(max(1, firstSegmentWords), 1 << 29 - 1)
    if capacity < pooledWords.lowerBound {
      let arena = unsafe make(segments: segmentsToBuildIn, words: capacity, .building)
      let words = unsafe arena.wordsBehind(segments: segmentsToBuildIn)
      unsafe words.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * 8)
      unsafe arena.beginToBuild(in: words, capacity)
      return arena
    }
    guard pooledWords.contains(capacity) else {
      let block = unsafe allocateWords(capacity, filled: 0)
      let arena = unsafe make(segments: segmentsToBuildIn, words: 0, .building, block: block)
      unsafe arena.beginToBuild(in: block, capacity)
      return arena
    }
    guard let kept = unsafe arenasToBuildIn.take() else {
      let block = unsafe blocks.take() ?? allocateWords(pooledWords.upperBound, filled: 0)
      let arena = unsafe make(
        segments: segmentsToBuildIn, words: 0, .building, .building, block: block)
      unsafe arena.beginToBuild(in: block, capacity)
      return arena
    }
    let arena = unsafe Unmanaged<MessageArena>.fromOpaque(kept).takeRetainedValue()
    unsafe arena.state.pointee.words = .building
    unsafe arena.beginToBuild(in: arena.head.pointee.segments[0].pointee.start, capacity)
    return arena
  }

  /// An arena to build in that begins with the words of another one, which no builder follows, and with its
  /// capabilities. It may be read for as many words as the other one, and those that are added.
  static func embedding(_ other: MessageArena) -> MessageArena {
    let capabilities = unsafe other.state.pointee.capabilities
    // Room for the roots that rpc.capnp has, and for a descriptor of each capability.
    let room = 48 + 4 * (capabilities?.count ?? 0)
    let arena = toBuildIn(firstSegmentWords: other.usedWords(inSegment: 0) + room)
    for index in 0..<other.segmentCount {
      let source = unsafe other.head.pointee.segments[index]
      let words = unsafe source.pointee.used
      let copy =
        unsafe index == 0
        ? arena.head.pointee.segments[0]
        : arena.addSegment(
          start: allocateWords(max(1, words), filled: words), used: words, capacity: words)
      unsafe copy.pointee.used = words
      unsafe copy.pointee.start.copyMemory(from: source.pointee.start, byteCount: words * 8)
    }
    // The new root's, which is built where the old one was.
    let root = unsafe arena.head.pointee.segments[0].pointee.start
    unsafe root.storeBytes(of: 0, as: UInt64.self)
    unsafe arena.state.pointee.capabilities = capabilities
    let (limit, overflow) = unsafe other.head.pointee.traversalLimit
      .addingReportingOverflow(room)
    unsafe arena.head.pointee.traversalLimit = overflow ? .max : limit
    return arena
  }

  private func beginToBuild(in words: UnsafeMutableRawPointer, _ capacity: Int) {
    unsafe begin(
      at: words, used: 1, capacity: capacity, tableCapacity: Self.segmentsToBuildIn,
      traversalWords: .max)
  }

  /// An arena of segments that lie in one run of words of the caller's, who keeps them for as long.
  static func toRead(
    _ words: UnsafeMutableRawPointer, _ table: borrowing SegmentTable, limits: ReaderLimits
  ) -> MessageArena {
    guard table.count == 1 else {
      return unsafe borrowing(words, table, limits: limits)
    }
    let arena: MessageArena
    if let kept = unsafe arenasToReadIn.take() {
      arena = unsafe Unmanaged<MessageArena>.fromOpaque(kept).takeRetainedValue()
    } else {
      arena = unsafe make(segments: 1, words: 0, .borrowed, .reading)
    }
    unsafe arena.begin(
      at: words, used: table[0], capacity: table[0], tableCapacity: 1,
      traversalWords: max(0, limits.traversalWords))
    return arena
  }

  /// Whether the arena may be kept for another message: it has one segment, and no table of its own for
  /// more of them, as a message has that was cleared.
  var isReusable: Bool {
    unsafe state.pointee.use != .single && head.pointee.segmentCount == 1
      && head.pointee.segments == firstTable
  }

  /// Keeps the arena for another message. Nothing else may refer to it, nor to its content.
  static func keep(_ arena: consuming MessageArena) {
    arena.letGoOfCapabilities()
    let isToBuildIn = unsafe arena.state.pointee.use == .building
    if isToBuildIn { arena.clearFirstSegment() }
    let kept = unsafe Unmanaged.passRetained(arena).toOpaque()
    // Another thread may have it at once, and end the message that it builds there: a reference that
    // is still here would keep that message's capabilities, and let go of them on this thread.
    _ = consume arena
    let rest = unsafe isToBuildIn ? arenasToBuildIn.give(kept) : arenasToReadIn.give(kept)
    if let rest = unsafe rest { unsafe Unmanaged<MessageArena>.fromOpaque(rest).release() }
  }

  /// An arena of segments that lie in one run of words, which the caller fills at once, at
  /// ``ownWords``: until then they hold what the heap had there.
  static func toFill(_ table: borrowing SegmentTable, limits: ReaderLimits?) -> MessageArena {
    let arena = unsafe make(segments: table.count, words: table.words, .oneBlock)
    unsafe arena.begin(
      at: arena.wordsBehind(segments: table.count), table, limits: limits)
    return arena
  }

  /// An arena of segments that lie in one run of words of the caller's.
  ///
  /// - Parameters:
  ///   - words: what the segments hold.
  ///   - table: the head of the frame.
  ///   - limits: bounds on reading the message.
  ///   - lender: what keeps the words; nil where the caller sees to it.
  /// - Returns: the arena.
  static func borrowing(
    _ words: UnsafeMutableRawPointer, _ table: borrowing SegmentTable,
    limits: ReaderLimits, from lender: (any AnyObject & Sendable)? = nil
  ) -> MessageArena {
    let arena = unsafe make(segments: table.count, words: 0, .borrowed)
    unsafe arena.state.pointee.lender = lender
    unsafe arena.begin(at: words, table, limits: limits)
    return arena
  }

  /// An arena of one segment, of the caller's, with a table for so many.
  static func borrowing(
    first: UnsafeRawBufferPointer, segments: Int, limits: ReaderLimits
  ) -> MessageArena {
    let arena = unsafe make(segments: max(1, segments), words: 0, .borrowed)
    let words = first.count / 8
    unsafe arena.begin(
      at: address(of: first) ?? UnsafeMutableRawPointer(arena.head), used: words, capacity: words,
      tableCapacity: max(1, segments), traversalWords: max(0, limits.traversalWords))
    return arena
  }

  /// Adds a segment over whole words that outlive the arena.
  func addBorrowed(_ bytes: UnsafeRawBufferPointer) {
    let words = bytes.count / 8
    unsafe addSegment(
      start: Self.address(of: bytes) ?? UnsafeMutableRawPointer(head), used: words, capacity: words)
  }

  /// Never written to: only builders write, and none is made over such an arena. No words have no
  /// address, yet a segment has one.
  private static func address(of words: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer? {
    unsafe words.baseAddress.map { unsafe UnsafeMutableRawPointer(mutating: $0) }
  }

  /// Makes the segments of the table, one behind the other.
  private func begin(
    at start: UnsafeMutableRawPointer, _ table: borrowing SegmentTable, limits: ReaderLimits?
  ) {
    unsafe begin(
      at: start, used: table[0], capacity: table[0], tableCapacity: table.count,
      traversalWords: max(0, limits?.traversalWords ?? .max))
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

  private var firstTable: UnsafeMutablePointer<SegmentPointer> {
    unsafe (UnsafeMutableRawPointer(head) + Self.tableOffset)
      .assumingMemoryBound(to: SegmentPointer.self)
  }

  /// The first word behind a table of so many segments.
  private func wordsBehind(segments: Int) -> UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(head) + Self.wordsOffset(segments: segments)
  }

  /// The first word of an arena that is filled.
  var ownWords: UnsafeMutableRawPointer {
    unsafe wordsBehind(segments: head.pointee.segmentCapacity)
  }

  private func deallocateTable() {
    let table = unsafe head.pointee.segments
    if unsafe table != firstTable { unsafe table.deallocate() }
  }

  deinit {
    if unsafe head.pointee.segmentCount > 1 { dropSegments() }
    if let block = unsafe state.pointee.block { unsafe giveUp(block) }
    deallocateTable()
  }

  /// Gives up the words of the first segment.
  private func giveUp(_ block: UnsafeMutableRawPointer) {
    guard unsafe state.pointee.use == .building else { return unsafe free(block) }
    clearFirstSegment()
    if let unused = unsafe Self.blocks.give(block) { unsafe free(unused) }
  }

  /// Frees all segments but the first.
  private func dropSegments() {
    for index in 1..<(unsafe head.pointee.segmentCount) {
      let segment = unsafe head.pointee.segments[index]
      switch unsafe state.pointee.words {
      case .building, .frozen: unsafe free(segment.pointee.start)
      case .oneBlock, .borrowed: break
      }
      unsafe segment.deallocate()
    }
    unsafe head.pointee.segmentCount = 1
  }

  private func clearFirstSegment() {
    let first = unsafe head.pointee.segments[0]
    unsafe first.pointee.start.initializeMemory(
      as: UInt8.self, repeating: 0, count: first.pointee.used &* 8)
  }

  /// Goes back to one segment and a null root. Nothing may refer to the message's content.
  func clear() {
    dropSegments()
    limitTraversal(to: .max)
    clearFirstSegment()
    unsafe head.pointee.segments[0].pointee.used = 1
    unsafe head.pointee.segments[0].pointee.lastEmpty = 0
    letGoOfCapabilities()
  }

  private func letGoOfCapabilities() {
    if unsafe state.pointee.capabilities != nil { unsafe state.pointee.capabilities = nil }
    letGoOfDropped()
  }

  /// Lets go of the capabilities that no pointer refers to any more.
  func letGoOfDropped() {
    if unsafe state.pointee.dropped != nil { unsafe state.pointee.dropped = nil }
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
    let count = unsafe head.pointee.segmentCount
    if unsafe count == head.pointee.segmentCapacity {
      let table = UnsafeMutablePointer<SegmentPointer>.allocate(capacity: count * 2)
      unsafe table.initialize(from: head.pointee.segments, count: count)
      deallocateTable()
      unsafe head.pointee.segments = table
      unsafe head.pointee.segmentCapacity = count * 2
    }
    let segment = SegmentPointer.allocate(capacity: 1)
    unsafe segment.initialize(
      to: Segment(
        start: start, used: used, capacity: capacity, arena: head,
        id: UInt32(truncatingIfNeeded: count)))
    unsafe (head.pointee.segments + count).initialize(to: segment)
    unsafe head.pointee.segmentCount = count + 1
    return unsafe segment
  }

  var segmentCount: Int { unsafe head.pointee.segmentCount }

  /// Words in use in the segment at the index.
  func usedWords(inSegment index: Int) -> Int {
    precondition(index >= 0 && index < segmentCount)
    return unsafe head.pointee.segments[index].pointee.used
  }

  /// Calls the body with each segment's words in use, in order.
  func forEachSegment(_ body: (UnsafeRawBufferPointer) -> Void) {
    for index in 0..<segmentCount {
      let segment = unsafe head.pointee.segments[index]
      unsafe body(
        UnsafeRawBufferPointer(start: segment.pointee.start, count: segment.pointee.used &* 8))
    }
  }

  /// Ends building: from here on readers may be kept and shared, within the limits.
  func freeze(limits: ReaderLimits) {
    if unsafe state.pointee.words == .building { unsafe state.pointee.words = .frozen }
    letGoOfDropped()
    // That of a message with embedded words is set already, by what their message may be read.
    let limit = unsafe head.pointee.traversalLimit
    limitTraversal(to: limit == .max ? limits.traversalWords : limit)
  }

  /// The number of entries of the capability table.
  var capabilityCount: Int { unsafe state.pointee.capabilities?.count ?? 0 }

  /// Returns the number of words in use in all segments, and of so many more for each capability.
  func words(perCapability words: Int) -> Int {
    var sum = unsafe (state.pointee.capabilities?.count ?? 0) * words
    let head = unsafe head
    for index in 0..<(unsafe head.pointee.segmentCount) {
      sum += unsafe head.pointee.segments[index].pointee.used
    }
    return sum
  }

  /// Sets the words that may be read in all, of a message that is not shared yet.
  @inline(__always)
  func limitTraversal(to words: Int) {
    unsafe head.pointee.traversalLimit = max(0, words)
    unsafe head.pointee.traversalWords.store(max(0, words), ordering: .relaxed)
  }

  /// The place of the root pointer, or nil where there is none.
  func root(nesting: UInt16) -> RawPointer? {
    guard segmentCount > 0, usedWords(inSegment: 0) > 0 else { return nil }
    let segment = unsafe head.pointee.segments[0]
    return unsafe RawPointer(segment: segment, place: segment.pointee.start, nesting: nesting)
  }

  func capability(_ index: UInt32) -> (any CapabilityHook)? {
    guard let table = unsafe state.pointee.capabilities, index < table.count else { return nil }
    return table[Int(index)]
  }

  /// Adds a capability to the table of a message that is being built.
  func addCapability(_ hook: any CapabilityHook) -> UInt32 {
    letGoOfDropped()
    guard let index = unsafe state.pointee.capabilities?.count else {
      unsafe state.pointee.capabilities = [hook]
      return 0
    }
    unsafe state.pointee.capabilities?.append(hook)
    return UInt32(truncatingIfNeeded: index)
  }

  /// Forgets a capability that no pointer of a message being built refers to any more.
  func dropCapability(_ index: UInt32) {
    guard let hook = capability(index) else { return }
    if unsafe state.pointee.dropped?.append(hook) == nil { unsafe state.pointee.dropped = [hook] }
    unsafe state.pointee.capabilities?[Int(index)] = nil
  }
}
