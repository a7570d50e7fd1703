import CapnProto
import NIOCore

/// The bytes of messages on their way to a socket: what is long goes there from where it lies, and
/// what is short is gathered first. What the socket does not take is left for the channel.
struct MessageOutput {
  /// Pieces of which a copy costs more than system calls for them alone. Streams mostly write 64 KiB at
  /// once, which are faster together.
  private static let longBytes = 128 << 10

  /// What has not been sent: of messages that were added, the last bytes.
  private(set) var rest: ByteBuffer
  private let socket: ChannelSocket?
  /// Whether the socket takes no more now.
  private var isBlocked: Bool

  /// An output to the socket, or into ``rest`` alone if there is none.
  init(_ socket: ChannelSocket?, _ buffer: ByteBuffer) {
    rest = buffer
    rest.clear()
    self.socket = socket
    isBlocked = socket == nil
  }

  /// Adds messages, which have so many bytes together.
  mutating func add(_ messages: [SharedMessage], bytes: Int) {
    // As a span, which lends its elements: a loop over the array counts each of them.
    let messages = messages.span
    if isBlocked || bytes < Self.longBytes {
      rest.writeWithOutputRawSpan(minimumWritableBytes: bytes) { output in
        for index in messages.indices { messages[index].write(to: &output) }
      }
      return
    }
    for index in messages.indices {
      let bytes = messages[index].frameBytes
      if bytes < Self.longBytes {
        rest.writeWithOutputRawSpan(minimumWritableBytes: bytes) { messages[index].write(to: &$0) }
      } else {
        messages[index].framePieces { add($0) }
      }
    }
  }

  private mutating func add(_ piece: RawSpan) {
    guard !isBlocked, piece.byteCount >= Self.longBytes else {
      rest.writeBytes(piece)
      return
    }
    flush(more: true)
    guard !isBlocked, let socket else {
      rest.writeBytes(piece)
      return
    }
    let sent = socket.write(piece, more: false)
    guard sent < piece.byteCount else { return }
    isBlocked = true
    rest.writeBytes(piece.extracting(droppingFirst: sent))
  }

  /// Sends what was gathered.
  mutating func flush(more: Bool = false) {
    guard !isBlocked, rest.readableBytes > 0, let socket else { return }
    let sent = socket.write(rest.readableBytesSpan, more: more)
    isBlocked = sent < rest.readableBytes
    rest.moveReaderIndex(forwardBy: sent)
    if !isBlocked { rest.clear() }
  }
}
