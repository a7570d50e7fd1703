import NIOCore

/// The length of a message's frame ("Serialization Over a Stream" in the encoding specification), as
/// far as its head tells. What is in it is checked by whoever reads it.
enum MessageFrame {
  /// Bytes of the frame that the buffer begins with; nil if its head is not there.
  static func length(_ buffer: ByteBuffer) -> Int? {
    let start = buffer.readerIndex
    guard
      let last = buffer.getInteger(at: start, endianness: .little, as: UInt32.self)
    else { return nil }
    let segments = Int(last) + 1
    // One word holds the count and the first size; each further one holds two.
    let head = (segments / 2 + 1) * 8
    guard buffer.readableBytes >= head else { return nil }
    var words = 0
    for segment in 0..<segments {
      guard
        let size = buffer.getInteger(
          at: start + 4 + segment * 4, endianness: .little, as: UInt32.self)
      else { return nil }
      words += Int(size)
    }
    return head + words * 8
  }

  /// Whether the buffer holds one message and nothing else.
  static func isWhole(_ buffer: ByteBuffer) -> Bool { length(buffer) == buffer.readableBytes }
}

/// Cuts what a transport writes into messages, however many it writes at a time.
struct MessageCutter {
  private var rest = ByteBuffer()

  mutating func add(_ bytes: ByteBuffer) { rest.writeImmutableBuffer(bytes) }

  /// The next message that is complete.
  mutating func next() -> ByteBuffer? {
    guard let length = MessageFrame.length(rest), let message = rest.readSlice(length: length)
    else { return nil }
    if rest.readableBytes == 0 { rest = ByteBuffer() }
    return message
  }
}
