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
    guard let table = try SegmentTable(bytes, limits: frameLimits) else {
      throw .truncated(bytes: bytes.byteCount, needed: SegmentTable.bytesNeeded(bytes))
    }
    let needed = table.bytes + table.words * 8
    guard bytes.byteCount >= needed else {
      throw .truncated(bytes: bytes.byteCount, needed: needed)
    }
    var frame = IncomingFrame(table, limits: limits)
    frame.fill(bytes.extracting(table.bytes..<needed))
    self = frame.message()
  }

  /// Reads a message in the bytes of one frame, in place: nothing is copied.
  ///
  /// - Throws: as ``read(flat:frameLimits:limits:_:)`` of a `RawSpan`.
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
  public static func read<Value>(
    flat bytes: RawSpan, frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard,
    _ body: (borrowing MessageReader) throws -> Value
  ) throws -> Value {
    guard let table = try SegmentTable(bytes, limits: frameLimits) else {
      throw FramingError.truncated(
        bytes: bytes.byteCount, needed: SegmentTable.bytesNeeded(bytes))
    }
    let needed = table.bytes + table.words * 8
    guard bytes.byteCount >= needed else {
      throw FramingError.truncated(bytes: bytes.byteCount, needed: needed)
    }
    return try unsafe bytes.withUnsafeBytes { buffer in
      let arena = MessageArena(
        limits: limits, segmentCapacity: table.sizes.count, words: .borrowed)
      var offset = table.bytes
      for size in table.sizes {
        // Never written to: only builders write, and none is made over this arena.
        unsafe arena.addSegment(
          start: UnsafeMutableRawPointer(mutating: buffer.baseAddress.unsafelyUnwrapped + offset),
          used: size, capacity: size)
        offset += size * 8
      }
      return try body(MessageReader(arena: arena, limits: limits))
    }
  }
}

extension MessageBuilder {
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

extension MessageReader {
  /// The message as one frame.
  public borrowing func flattened() -> [UInt8] { arena.flattened() }
}

extension MessageArena {
  /// The message as one frame, for which memory is allocated once.
  func flattened() -> [UInt8] {
    let segments = segmentCount
    var bytes = SegmentTable.bytes(segments: segments)
    for index in 0..<segments { bytes += usedWords(inSegment: index) * 8 }
    return unsafe [UInt8](unsafeUninitializedCapacity: bytes) { buffer, initializedCount in
      let frame = UnsafeMutableRawBufferPointer(buffer)
      var offset = 0
      func append(_ number: Int) {
        unsafe frame.storeBytes(
          of: UInt32(truncatingIfNeeded: number).littleEndian, toByteOffset: offset,
          as: UInt32.self)
        offset += 4
      }
      append(segments - 1)
      for index in 0..<segments { append(usedWords(inSegment: index)) }
      if segments % 2 == 0 { append(0) }
      unsafe forEachSegment {
        unsafe UnsafeMutableRawBufferPointer(rebasing: frame[offset...]).copyMemory(from: $0)
        offset += $0.count
      }
      initializedCount = offset
    }
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
    unsafe words = UnsafeMutableRawBufferPointer(
      start: MessageArena.allocateWords(table.words), count: table.words * 8)
    arena = MessageArena(
      limits: limits, segmentCapacity: table.sizes.count, words: .oneBlock)
    var start = unsafe words.baseAddress.unsafelyUnwrapped
    for size in table.sizes {
      unsafe arena.addSegment(start: start, used: size, capacity: size)
      unsafe start += size * 8
    }
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

  /// The message, once nothing is missing.
  consuming func message() -> MessageReader {
    precondition(missing == 0, "the frame is not complete")
    return MessageReader(arena: arena, limits: limits)
  }
}
