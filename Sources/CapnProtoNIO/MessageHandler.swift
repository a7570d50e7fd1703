import CapnProtoRPC
import NIOCore

/// Gives what a channel reads to the connection, and tells it when the channel ends.
final class MessageHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let connection: RPCConnection
  private let executor: EventLoopExecutor
  private var intake: MessageIntake
  /// Where bytes are read past the channel; nil if there are layers in it that change them.
  private let socket: ChannelSocket?

  init(
    _ connection: RPCConnection, _ executor: EventLoopExecutor, _ limits: ConnectionLimits,
    _ socket: ChannelSocket?
  ) {
    self.connection = connection
    self.executor = executor
    self.socket = socket
    intake = MessageIntake(connection, limits)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    executor.turn {
      intake.take(bytes.readableBytesSpan)
      if let socket { intake.read(from: socket) }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    intake.end()
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
