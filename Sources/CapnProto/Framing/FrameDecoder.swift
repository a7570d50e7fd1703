// Safety. Reads spans as bytes for the length of a call; nothing is kept of them.

/// Cuts a stream of bytes into messages, whatever chunks the bytes arrive in.
///
/// Bytes of a message are copied once, into the memory that the message keeps. The limits are
/// checked as soon as the head of a frame is there, before memory is allocated for it.
public struct FrameDecoder: ~Copyable {
  private var arriving: ArrivingFrame

  /// A decoder at the start of a stream.
  public init(frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard) {
    arriving = ArrivingFrame(frameLimits, limits)
  }

  /// Whether the stream may end here: no message has begun and is not complete.
  public var isBetweenMessages: Bool { arriving.hasNotBegun }

  /// Takes bytes from the front of the chunk until a message is complete.
  ///
  /// Call it again with what is left of the chunk until it returns nil: then all was taken.
  ///
  /// - Parameters:
  ///   - chunk: bytes of the stream.
  ///   - offset: where in the chunk to go on; moved past what was taken.
  /// - Returns: the next message, or nil if the chunk ends before it does.
  /// - Throws: ``FramingError`` if a frame exceeds the limits. The stream cannot be read on.
  public mutating func next(
    _ chunk: RawSpan, _ offset: inout Int
  ) throws(FramingError) -> MessageReader? {
    if let message = arriving.whole(chunk, &offset) { return message }
    while arriving.frame == nil {
      // Heads are a word or two: what is copied twice here is little.
      let end = min(offset + arriving.missingOfHeadWord, chunk.byteCount)
      guard offset < end else { return nil }
      let piece = chunk.extracting(offset..<end)
      offset = end
      try arriving.addToHead(piece)
    }
    guard var frame = arriving.frame.take() else { return nil }
    let count = min(frame.missing, chunk.byteCount - offset)
    frame.fill(chunk.extracting(offset..<offset + count))
    offset += count
    if frame.missing == 0 { return frame.message() }
    arriving.frame = consume frame
    return nil
  }

  /// Bytes of the message that has begun which have not come; 0 if none has, or its head is not complete.
  public var missingBytes: Int {
    switch arriving.frame {
    case .some(let frame): frame.missing
    case nil: 0
    }
  }

  /// Has the body write the next bytes of the stream to where the message keeps them, up to
  /// ``missingBytes``: for a source that can, which saves a copy.
  ///
  /// - Parameter body: adds as many bytes as it likes.
  /// - Returns: the message, if it is complete.
  public mutating func read(_ body: (inout OutputRawSpan) -> Void) -> MessageReader? {
    guard var frame = arriving.frame.take() else { return nil }
    frame.fill(body)
    if frame.missing == 0 { return frame.message() }
    arriving.frame = consume frame
    return nil
  }
}

/// The next frame of a stream, as far as it has arrived.
struct ArrivingFrame: ~Copyable {
  private let frameLimits: FrameLimits
  private let limits: ReaderLimits
  /// The head, while it is not complete.
  private var head: [UInt8] = []
  /// The frame, once its head is complete.
  var frame: IncomingFrame?

  init(_ frameLimits: FrameLimits, _ limits: ReaderLimits) {
    self.frameLimits = frameLimits
    self.limits = limits
    frame = nil
  }

  /// Whether nothing of the frame has arrived.
  var hasNotBegun: Bool { head.isEmpty && frame == nil }

  /// The message, if nothing of it has arrived and all of it is in the chunk, as short ones mostly are;
  /// nil also for one that exceeds the limits, which `addToHead` refuses from then on.
  func whole(_ chunk: RawSpan, _ offset: inout Int) -> MessageReader? {
    guard hasNotBegun, offset < chunk.byteCount else { return nil }
    let rest = chunk.extracting(offset...)
    guard let table = try? SegmentTable(rest, limits: frameLimits),
      table.frameBytes <= rest.byteCount
    else { return nil }
    offset += table.frameBytes
    var frame = IncomingFrame(table, limits: limits)
    frame.fill(rest.extracting(table.bytes..<table.frameBytes))
    return frame.message()
  }

  /// Bytes to the end of the word of the head that is arriving.
  var missingOfHeadWord: Int { 8 - head.count % 8 }

  /// Adds bytes of the head, no more than to the end of a word, and opens the frame where they are
  /// the last: the limits hold before memory is allocated for it.
  mutating func addToHead(_ bytes: RawSpan) throws(FramingError) {
    unsafe bytes.withUnsafeBytes { unsafe head.append(contentsOf: $0) }
    if let table = try unsafe SegmentTable(head.span.bytes, limits: frameLimits) {
      head.removeAll(keepingCapacity: true)
      frame = IncomingFrame(table, limits: limits)
    }
  }
}
