// Safety. These are the descriptors of a message's memory. They are internal to the module: a raw
// pointer to one is stored only in a view that cannot escape its message (`~Escapable`), or beside
// a strong reference to the `MessageArena` that owns it. Descriptors and segments never move, and
// are freed by the arena's `deinit` or used for another message once its `ArenaOwner` is gone, hence
// no view sees memory of another. Descriptors of a message that is shared between tasks are not
// written to, but for the atomics of the traversal limit.

public import Synchronization

#if !_pointerBitWidth(_64)
  // A list of a message may have 2^29 elements of 2^17 words: places are computed in `Int`.
  #error("CapnProto needs integers of 64 bits: build for a 64-bit architecture")
#endif

@usableFromInline typealias SegmentPointer = UnsafeMutablePointer<Segment>
@usableFromInline typealias ArenaPointer = UnsafeMutablePointer<ArenaHeader>

/// One run of words of a message.
@safe @usableFromInline
@frozen struct Segment {
  @usableFromInline let start: UnsafeMutableRawPointer
  /// Words that hold data: all of them in a message that was received.
  @usableFromInline var used: Int
  /// The last index at which an object without words was made. `used` does not go below, as the
  /// object would lie outside of the segment then.
  @usableFromInline var lastEmpty: Int
  /// Words that are allocated.
  @usableFromInline let capacity: Int
  @usableFromInline let arena: ArenaPointer
  @usableFromInline let id: UInt32

  @inlinable init(
    start: UnsafeMutableRawPointer, used: Int, capacity: Int, arena: ArenaPointer, id: UInt32
  ) {
    unsafe self.start = start
    self.used = used
    lastEmpty = 0
    self.capacity = capacity
    unsafe self.arena = arena
    self.id = id
  }
}

/// What all segments of a message share.
@safe @usableFromInline
@frozen struct ArenaHeader: ~Copyable {
  /// Words that may still be read. Loaded and stored relaxed, never as one step: two tasks that
  /// read at once may undercount, as the limit bounds cost and not access.
  @usableFromInline let traversalWords: Atomic<Int>
  /// Words that may be read in all. Set before the message is shared.
  @usableFromInline var traversalLimit: Int
  @usableFromInline let renewal: Atomic<TraversalRenewal>
  @usableFromInline var segments: UnsafeMutablePointer<SegmentPointer>
  @usableFromInline var segmentCount: Int
  @usableFromInline var segmentCapacity: Int
  /// The owner, which outlives the header.
  @usableFromInline let owner: Unmanaged<MessageArena>

  init(
    traversalWords: Int, segments: UnsafeMutablePointer<SegmentPointer>, count: Int, capacity: Int,
    owner: Unmanaged<MessageArena>
  ) {
    self.traversalWords = Atomic(traversalWords)
    traversalLimit = traversalWords
    renewal = Atomic(.never)
    unsafe self.segments = segments
    segmentCount = count
    segmentCapacity = capacity
    unsafe self.owner = owner
  }
}

extension ArenaHeader {
  /// Counts words against the traversal limit.
  @inlinable @inline(__always)
  func charge(_ words: Int) throws(DecodingError) {
    let left = wordsLeft(after: words)
    guard left >= 0 else { return try renew(words) }
    setWordsLeft(left)
  }

  /// Words that may still be read after so many more; negative if these are too many.
  @inlinable @inline(__always)
  func wordsLeft(after words: Int) -> Int { traversalWords.load(ordering: .relaxed) &- words }

  @inlinable @inline(__always)
  func setWordsLeft(_ words: Int) { traversalWords.store(words, ordering: .relaxed) }

  @usableFromInline @inline(never)
  func renew(_ words: Int) throws(DecodingError) {
    guard unsafe owner.takeUnretainedValue().renewTraversal() else {
      throw .traversalLimitExceeded
    }
    let left = traversalWords.load(ordering: .relaxed) - words
    guard left >= 0 else { throw .traversalLimitExceeded }
    traversalWords.store(left, ordering: .relaxed)
  }
}
