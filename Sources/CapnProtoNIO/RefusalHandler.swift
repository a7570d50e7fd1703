import CapnProtoRPC
import NIOCore

/// Tells a peer that is not admitted why, reads nothing of it, and closes the connection.
final class RefusalHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let connection: RPCConnection
  private let reason: String
  private let whenRemoved: @Sendable () -> Void

  init(
    _ connection: RPCConnection, _ reason: String, whenRemoved: @escaping @Sendable () -> Void
  ) {
    self.connection = connection
    self.reason = reason
    self.whenRemoved = whenRemoved
  }

  // However the channel ends.
  func handlerRemoved(context: ChannelHandlerContext) { whenRemoved() }

  func channelActive(context: ChannelHandlerContext) {
    connection.abort(reason)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
