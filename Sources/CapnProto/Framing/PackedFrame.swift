// Safety. Packs whole segments into memory that was reserved for their worst case, and unpacks into a
// word of its own or the memory of a frame, within their bounds.

extension MessageBuilder {
  /// The message as one frame, packed (encoding specification, "Packing").
  public borrowing func packed() -> [UInt8] { arena.packed() }

  /// Calls the body with the message's frame, packed, in pieces of at most 10 KiB.
  ///
  /// This is for streams: no memory is taken for the whole of it. The bytes may differ from those of
  /// ``packed()``, as no run of words goes past a piece; they unpack to the same.
  public borrowing func packed<Failure>(
    pieces body: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    try arena.packed(pieces: body)
  }
}

extension MessageReader {
  /// The message as one frame, packed (encoding specification, "Packing").
  public borrowing func packed() -> [UInt8] { arena.packed() }

  /// A message from the packed bytes of one frame.
  ///
  /// - Throws: ``FramingError`` if the frame is cut off or exceeds the limits.
  public init(
    packed bytes: [UInt8], frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard
  ) throws(FramingError) {
    try unsafe self.init(packed: bytes.span.bytes, frameLimits: frameLimits, limits: limits)
  }

  /// A message from the packed bytes of one frame.
  ///
  /// - Throws: ``FramingError`` if the frame is cut off or exceeds the limits.
  public init(
    packed bytes: RawSpan, frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard
  ) throws(FramingError) {
    var decoder = PackedFrameDecoder(frameLimits: frameLimits, limits: limits)
    var offset = 0
    guard let message = try decoder.next(bytes, &offset) else {
      throw .truncated(bytes: bytes.byteCount, needed: bytes.byteCount + 1)
    }
    self = message
  }
}

extension Ref where Reader: ~Escapable {
  /// The whole message as one frame, packed.
  public func packed() -> [UInt8] { owner.packed() }
}

extension MessageArena {
  private func forEachPiece<Failure>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let head = SegmentTable.encode((0..<segmentCount).map { usedWords(inSegment: $0) })
    try unsafe head.span.bytes.withUnsafeBytes { (bytes) throws(Failure) in
      try unsafe body(bytes)
    }
    for index in 0..<segmentCount {
      let segment = unsafe self.head.pointee.segments[index]
      try unsafe body(
        UnsafeRawBufferPointer(start: segment.pointee.start, count: segment.pointee.used * 8))
    }
  }

  func packed() -> [UInt8] {
    var words = SegmentTable.bytes(segments: segmentCount) / 8
    for index in 0..<segmentCount { words += usedWords(inSegment: index) }
    return unsafe [UInt8](unsafeUninitializedCapacity: words * mostPackedBytes) {
      (buffer, initializedCount) in
      guard let start = buffer.baseAddress else { return }
      var count = 0
      unsafe forEachPiece { unsafe count += pack($0, to: UnsafeMutableRawPointer(start + count)) }
      initializedCount = count
    }
  }

  func packed<Failure>(
    pieces body: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    let most = 1024 * 8
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: most / 8 * mostPackedBytes, alignment: 8)
    defer { unsafe buffer.deallocate() }
    guard let start = buffer.baseAddress else { return }
    try unsafe forEachPiece { (piece) throws(Failure) in
      var offset = 0
      while offset < piece.count {
        let end = min(offset + most, piece.count)
        let count = unsafe pack(UnsafeRawBufferPointer(rebasing: piece[offset..<end]), to: start)
        try unsafe body(UnsafeRawBufferPointer(start: start, count: count).bytes)
        offset = end
      }
    }
  }
}

/// Cuts a stream of packed bytes into messages, whatever chunks the bytes arrive in.
///
/// Words are unpacked into the memory that the message keeps. The limits are checked as soon as the
/// head of a frame is there, before memory is allocated for it: no run of zeros takes more.
public struct PackedFrameDecoder: ~Copyable {
  private var arriving: ArrivingFrame
  private var unpacker = Unpacker()
  /// A word of the head, and how many of its bytes are there.
  private var headWord: UInt64 = 0
  private var headBytes = 0

  /// A decoder at the start of a stream.
  public init(frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard) {
    arriving = ArrivingFrame(frameLimits, limits)
  }

  /// Whether the stream may end here: no message has begun and is not complete.
  public var isBetweenMessages: Bool {
    arriving.hasNotBegun && headBytes == 0 && unpacker.isBetweenWords
  }

  /// Takes bytes from the front of the chunk until a message is complete.
  ///
  /// Call it again with what is left of the chunk until it returns nil: then all was taken.
  ///
  /// - Parameters:
  ///   - chunk: bytes of the stream.
  ///   - offset: where in the chunk to go on; moved past what was taken.
  /// - Returns: the next message, or nil if the chunk ends before it does.
  /// - Throws: ``FramingError`` if a frame exceeds the limits, or a run its message. The stream
  ///   cannot be read on.
  public mutating func next(
    _ chunk: RawSpan, _ offset: inout Int
  ) throws(FramingError) -> MessageReader? {
    let start = isBetweenMessages ? offset : chunk.byteCount
    while arriving.frame == nil {
      do throws(FramingError) {
        guard try takeHeadWord(chunk, &offset) else { return nil }
      } catch {
        throw error.unlessText(chunk, at: start)
      }
    }
    guard var frame = arriving.frame.take() else { return nil }
    frame.fill(&unpacker, chunk, &offset)
    if frame.missing == 0, unpacker.runBytes > 0 {
      throw .packedRunTooLong(bytes: unpacker.runBytes)
    }
    // The last word's tag may announce a run, whose length, none, is still to come.
    if frame.missing == 0, unpacker.isBetweenWords { return frame.message() }
    arriving.frame = consume frame
    return nil
  }

  /// Takes a word of a frame's head; false if the chunk ends before.
  private mutating func takeHeadWord(
    _ chunk: RawSpan, _ offset: inout Int
  ) throws(FramingError) -> Bool {
    var (word, count) = (headWord, headBytes)
    unsafe chunk.withUnsafeBytes { input in
      unsafe withUnsafeMutableBytes(of: &word) { output in
        unsafe unpacker.unpack(input, &offset, into: output, &count)
      }
    }
    (headWord, headBytes) = (word, count)
    guard count == 8 else { return false }
    (headWord, headBytes) = (0, 0)
    try unsafe withUnsafeBytes(of: word) { (bytes) throws(FramingError) in
      try unsafe arriving.addToHead(bytes.bytes)
    }
    return true
  }
}
