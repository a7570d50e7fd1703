import CapnProto
import CapnProtoRPC

/// Cuts what comes from a peer into messages, and gives them to the connection.
struct MessageIntake: ~Copyable {
  private let connection: RPCConnection
  private var decoder: FrameDecoder
  private var hasReceived = false
  /// Why the stream cannot be read on.
  private var failure: FramingError?
  /// Descriptors that came with the beginning of a message whose end has not come.
  private var pending: [OpenDescriptor] = []

  init(_ connection: RPCConnection, _ limits: ConnectionLimits) {
    self.connection = connection
    decoder = FrameDecoder(frameLimits: limits.frameLimits)
  }

  /// Takes the bytes that came next.
  mutating func take(_ bytes: RawSpan) {
    var offset = 0
    while let message = next(bytes, &offset) { deliver(message) }
    refuseFailed()
  }

  /// Takes the bytes that came next, with descriptors: those of the message that begins last in them,
  /// as the system lets nothing be read beyond the bytes that descriptors came with.
  mutating func take(_ bytes: RawSpan, with descriptors: [OpenDescriptor]) {
    var offset = 0
    var following = next(bytes, &offset)
    while let message = following.take() {
      following = next(bytes, &offset)
      if following == nil, decoder.isBetweenMessages { pending += descriptors }
      deliver(message)
    }
    if !decoder.isBetweenMessages { pending += descriptors }
    refuseFailed()
  }

  /// Reads on in a long message where it lies in the system, without a copy on the way: as much as is
  /// there, but for the end of the message, and what other connections should not wait for.
  mutating func read(from socket: ChannelSocket) {
    for _ in 0..<16 {
      guard decoder.missingBytes >= Self.longBytes else { return }
      var count = 0
      if let message = decoder.read({ count = socket.read(into: &$0) ?? 0 }) { deliver(message) }
      guard count > 0 else { return }
    }
  }

  /// So much of a message that a copy costs more than system calls for it alone: more than what streams
  /// mostly write at once.
  private static let longBytes = 96 << 10

  /// The next message; nil if the bytes end before it does, or cannot be read.
  private mutating func next(_ bytes: RawSpan, _ offset: inout Int) -> MessageReader? {
    guard failure == nil else { return nil }
    do {
      return try decoder.next(bytes, &offset)
    } catch {
      failure = error
      return nil
    }
  }

  private mutating func deliver(_ message: consuming MessageReader) {
    hasReceived = true
    guard !pending.isEmpty else {
      connection.receive(message)
      return
    }
    defer { pending = [] }
    connection.receive(message, with: pending)
  }

  private func refuseFailed() {
    guard let error = failure else { return }
    if case .tooLarge = error { connection.note(.messageWords) }
    connection.abort(
      hasReceived
        ? "a message cannot be read: \(error)"
        : "the first message cannot be read, so the peer may not speak Cap'n Proto RPC: \(error)")
  }

  /// Nothing more will come.
  func end() {
    connection.disconnect(
      .disconnected(
        decoder.isBetweenMessages
          ? "the peer closed the connection"
          : "the connection was cut in the middle of a message"))
  }
}
