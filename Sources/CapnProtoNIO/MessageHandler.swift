import CapnProto
import CapnProtoRPC
import NIOCore

/// Cuts what a channel reads into messages, and tells the connection when the channel ends.
final class MessageHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let connection: RPCConnection
  private var decoder: FrameDecoder
  private var hasReceived = false

  init(_ connection: RPCConnection, _ limits: ConnectionLimits) {
    self.connection = connection
    var frameLimits = FrameLimits.standard
    frameLimits.words = limits.messageWords
    decoder = FrameDecoder(frameLimits: frameLimits)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    do {
      var offset = 0
      while let message = try decoder.next(buffer.readableBytesSpan, &offset) {
        hasReceived = true
        connection.receive(message)
      }
    } catch {
      if case .tooLarge = error { connection.note(.messageWords) }
      connection.abort(
        hasReceived
          ? "a message cannot be read: \(error)"
          : "the first message cannot be read, so the peer may not speak Cap'n Proto RPC: \(error)")
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.disconnect(
      .disconnected(
        decoder.isBetweenMessages
          ? "the peer closed the connection"
          : "the connection was cut in the middle of a message"))
    context.fireChannelInactive()
  }

  // However the channel ends: it may fail before it is active, or be inactive before this is added.
  func handlerRemoved(context: ChannelHandlerContext) {
    connection.disconnect(.disconnected("the peer closed the connection"))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is UnreadError { connection.note(.unwrittenBytes) }
    let failure = error as? RPCError ?? .disconnected("\(error)")
    connection.disconnect(RPCError(failure.kind, "the connection failed: \(failure.reason)"))
    context.close(promise: nil)
  }
}
