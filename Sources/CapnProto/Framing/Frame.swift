// Safety. Copies whole segments between a caller's bytes and memory that an arena owns; the counts
// of both sides come from one segment table, which was compared with the bytes that are there.

extension MessageReader {
  /// A message from the bytes of one frame, which are copied once.
  ///
  /// - Throws: ``FramingError`` if the frame is cut off or exceeds the limits.
  public init(
    flat bytes: [UInt8], frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard
  ) throws(FramingError) {
    try unsafe self.init(flat: bytes.span.bytes, frameLimits: frameLimits, limits: limits)
  }

  /// A message from the bytes of one frame, which are copied once.
  ///
  /// - Throws: ``FramingError`` if the frame is cut off or exceeds the limits.
  public init(
    flat bytes: RawSpan, frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard
  ) throws(FramingError) {
    let table = try SegmentTable(whole: bytes, limits: frameLimits)
    var frame = IncomingFrame(table, limits: limits)
    frame.fill(bytes.extracting(table.bytes..<table.frameBytes))
    self = frame.message()
  }

  /// Reads a message in the bytes of one frame, in place: nothing is copied.
  ///
  /// - Throws: as ``read(flat:frameLimits:limits:_:)`` of a `RawSpan`.
  @inlinable
  public static func read<Value>(
    flat bytes: [UInt8], frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard,
    _ body: (borrowing MessageReader) throws -> Value
  ) throws -> Value {
    try unsafe read(flat: bytes.span.bytes, frameLimits: frameLimits, limits: limits, body)
  }

  /// Reads a message in the bytes of one frame, in place: nothing is copied.
  ///
  /// A reader that is retained inside the body is copied, as the bytes are the caller's.
  ///
  /// - Throws: ``FramingError`` if the frame is cut off or exceeds the limits, and what the body
  ///   throws.
  @inlinable
  public static func read<Value>(
    flat bytes: RawSpan, frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard,
    _ body: (borrowing MessageReader) throws -> Value
  ) throws -> Value {
    try unsafe bytes.withUnsafeBytes {
      try body(unsafe MessageReader(inPlace: $0, frameLimits: frameLimits, limits: limits))
    }
  }

  /// A message that borrows the bytes, for no longer than they are there.
  @usableFromInline
  init(
    inPlace bytes: UnsafeRawBufferPointer, frameLimits: FrameLimits, limits: ReaderLimits
  ) throws(FramingError) {
    let table = try SegmentTable(whole: unsafe RawSpan(_unsafeBytes: bytes), limits: frameLimits)
    // Never written to: only builders write, and none is made over this arena.
    let words = unsafe UnsafeMutableRawPointer(
      mutating: bytes.baseAddress.unsafelyUnwrapped + table.bytes)
    self.init(
      arena: unsafe .toRead(words, table, limits: limits), limits: limits)
  }
}

extension MessageReader {
  /// Reads a message of which each segment is in an array of its own, in place: nothing is copied.
  ///
  /// A reader that is retained inside the body is copied.
  ///
  /// - Throws: ``FramingError`` if a segment has no whole words or there is too much of them, and what
  ///   the body throws.
  public static func read<Value>(
    segments: [[UInt8]], frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard,
    _ body: (borrowing MessageReader) throws -> Value
  ) throws -> Value {
    guard segments.count <= frameLimits.segments else {
      throw FramingError.tooManySegments(count: segments.count, limit: frameLimits.segments)
    }
    var words = 0
    for segment in segments {
      guard segment.count % 8 == 0 else {
        throw FramingError.truncated(
          bytes: segment.count, needed: segment.count + 8 - segment.count % 8)
      }
      words += segment.count / 8
    }
    guard words <= frameLimits.words else {
      throw FramingError.tooLarge(words: words, limit: frameLimits.words)
    }
    // An array's bytes are there for the length of a call: one call inside another.
    func add(_ index: Int, to arena: MessageArena) throws -> Value {
      guard index < segments.count else {
        return try body(MessageReader(arena: arena, limits: limits))
      }
      return try unsafe segments[index].withUnsafeBytes { bytes in
        unsafe arena.addBorrowed(bytes)
        return try add(index + 1, to: arena)
      }
    }
    return try unsafe (segments.first ?? []).withUnsafeBytes { bytes in
      try add(
        1, to: unsafe .borrowing(first: bytes, segments: segments.count, limits: limits))
    }
  }
}

extension MessageBuilder {
  /// The frame's head, to be written before the segments.
  public var frameHead: [UInt8] {
    SegmentTable.encode((0..<arena.segmentCount).map { arena.usedWords(inSegment: $0) })
  }

  /// Calls the body with the bytes of each segment in order, without a copy.
  ///
  /// After ``frameHead`` these are the pieces of the frame, for a write that gathers them.
  public borrowing func segments(_ body: (RawSpan) -> Void) {
    unsafe arena.forEachSegment { unsafe body($0.bytes) }
  }

  /// The message as one frame.
  public borrowing func flattened() -> [UInt8] { arena.flattened() }
}

extension MessageReader {
  /// Bytes of the message's frame.
  public var frameBytes: Int { arena.frameBytes }

  /// The frame's head, to be written before the segments.
  public var frameHead: [UInt8] {
    SegmentTable.encode((0..<arena.segmentCount).map { arena.usedWords(inSegment: $0) })
  }

  /// Calls the body with the bytes of each segment in order, without a copy.
  public borrowing func segments(_ body: (RawSpan) -> Void) {
    unsafe arena.forEachSegment { unsafe body($0.bytes) }
  }

  /// The message as one frame.
  public borrowing func flattened() -> [UInt8] { arena.flattened() }
}

extension MessageArena {
  /// Bytes of the message's frame.
  var frameBytes: Int {
    // Most messages have one segment, behind a head of one word.
    if segmentCount == 1 { return (1 + usedWords(inSegment: 0)) * 8 }
    var bytes = SegmentTable.bytes(segments: segmentCount)
    for index in 0..<segmentCount { bytes += usedWords(inSegment: index) * 8 }
    return bytes
  }

  /// The message as one frame, for which memory is allocated once.
  func flattened() -> [UInt8] {
    // Made uninitialized at its size, an array would cost twice as much for a small message.
    var frame: [UInt8] = []
    frame.reserveCapacity(frameBytes)
    unsafe forEachPiece { unsafe frame.append(contentsOf: $0) }
    return frame
  }

  /// Adds the message's frame to the bytes, which have room for it.
  func write(to output: inout OutputRawSpan) {
    precondition(output.freeCapacity >= frameBytes, "there is no room for the frame")
    unsafe output.withUnsafeMutableBytes { bytes, count in
      // As most have, whose bytes need no more than a head of one word.
      if segmentCount == 1, let first = bytes.baseAddress {
        let segment = unsafe head.pointee.segments[0]
        let words = unsafe segment.pointee.used
        let start = unsafe first + count
        unsafe start.storeBytes(of: (UInt64(words) << 32).littleEndian, as: UInt64.self)
        unsafe (start + 8).copyMemory(from: segment.pointee.start, byteCount: words * 8)
        count += 8 + words * 8
        return
      }
      unsafe forEachPiece { piece in
        unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: piece)
        count += piece.count
      }
    }
  }

  /// Calls the body with the pieces of the message's frame: each word of the head, and each segment.
  func forEachPiece(_ body: (UnsafeRawBufferPointer) -> Void) {
    let segments = segmentCount
    for index in stride(from: -1, to: segments, by: 2) {
      let low = index < 0 ? segments - 1 : usedWords(inSegment: index)
      let high = index + 1 < segments ? usedWords(inSegment: index + 1) : 0
      unsafe withUnsafeBytes(of: UInt64(low | high << 32).littleEndian) { unsafe body($0) }
    }
    unsafe forEachSegment(body)
  }
}

/// The memory of a message whose bytes are arriving.
@safe struct IncomingFrame: ~Copyable {
  private let arena: MessageArena
  private let limits: ReaderLimits
  /// All segments lie in one block, which the arena owns.
  private let words: UnsafeMutableRawBufferPointer
  /// Bytes that have arrived.
  private(set) var filled = 0

  init(_ table: SegmentTable, limits: ReaderLimits) {
    self.limits = limits
    arena = .toFill(table, limits: limits)
    unsafe words = UnsafeMutableRawBufferPointer(
      start: arena.ownWords, count: table.words * 8)
  }

  /// Bytes that are still to arrive.
  var missing: Int { unsafe words.count - filled }

  /// Adds bytes, at most `missing`.
  mutating func fill(_ bytes: RawSpan) {
    precondition(bytes.byteCount <= missing, "more bytes than the frame has")
    unsafe bytes.withUnsafeBytes {
      unsafe UnsafeMutableRawBufferPointer(rebasing: words[filled...]).copyMemory(from: $0)
    }
    filled += bytes.byteCount
  }

  /// Has the body add bytes, at most `missing`.
  mutating func fill(_ body: (inout OutputRawSpan) -> Void) {
    let place = unsafe UnsafeMutableRawBufferPointer(rebasing: words[filled...])
    var output = unsafe OutputRawSpan(buffer: place, initializedCount: 0)
    body(&output)
    filled += unsafe output.finalize(for: place)
  }

  /// Adds bytes that are packed, at most `missing` once they are unpacked.
  mutating func fill(_ unpacker: inout Unpacker, _ chunk: RawSpan, _ offset: inout Int) {
    unsafe chunk.withUnsafeBytes {
      unsafe unpacker.unpack($0, &offset, into: words, &filled)
    }
  }

  /// The message, once nothing is missing.
  consuming func message() -> MessageReader {
    precondition(missing == 0, "the frame is not complete")
    return MessageReader(arena: arena, limits: limits)
  }
}
