// Safety. Reads spans as bytes for the length of a call; nothing is kept of them.

/// Cuts a stream of bytes into messages, whatever chunks the bytes arrive in.
///
/// Bytes of a message are copied once, into the memory that the message keeps. The limits are
/// checked as soon as the head of a frame is there, before memory is allocated for it.
public struct FrameDecoder: ~Copyable {
  private let frameLimits: FrameLimits
  private let limits: ReaderLimits
  /// The head of the next frame as far as it has arrived, while no frame is open.
  private var head: [UInt8] = []
  private var open: IncomingFrame?

  /// A decoder at the start of a stream.
  public init(frameLimits: FrameLimits = .standard, limits: ReaderLimits = .standard) {
    self.frameLimits = frameLimits
    self.limits = limits
    open = nil
  }

  /// Whether the stream may end here: no message has begun and is not complete.
  public var isBetweenMessages: Bool { head.isEmpty && open == nil }

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
    while open == nil {
      guard try takeHead(chunk, &offset) else { return nil }
    }
    guard var frame = open.take() else { return nil }
    let count = min(frame.missing, chunk.byteCount - offset)
    frame.fill(chunk.extracting(offset..<offset + count))
    offset += count
    if frame.missing == 0 { return frame.message() }
    open = consume frame
    return nil
  }

  /// Takes the rest of a frame's head and opens the frame; false if the chunk ends before.
  private mutating func takeHead(
    _ chunk: RawSpan, _ offset: inout Int
  ) throws(FramingError) -> Bool {
    while true {
      if let table = try unsafe SegmentTable(head.span.bytes, limits: frameLimits) {
        head.removeAll(keepingCapacity: true)
        open = IncomingFrame(table, limits: limits)
        return true
      }
      guard offset < chunk.byteCount else { return false }
      // Heads are a word or two: what is copied twice here is little.
      let count = min(8 - head.count % 8, chunk.byteCount - offset)
      unsafe chunk.extracting(offset..<offset + count).withUnsafeBytes {
        unsafe head.append(contentsOf: $0)
      }
      offset += count
    }
  }
}
