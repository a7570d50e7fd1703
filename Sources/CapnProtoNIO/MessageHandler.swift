import CapnProtoRPC
import NIOCore

/// Gives what a channel reads to the connection, and tells it when the channel ends.
final class MessageHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let connection: RPCConnection
  private let executor: EventLoopExecutor
  private var intake: MessageIntake
  /// Whether messages are being taken in. Calls run meanwhile, and answers are written: when that fails
  /// NIO reads what is left, and ends the channel, on the same stack.
  private var isTaking = false
  /// What was read meanwhile.
  private var late: [ByteBuffer] = []
  /// Whether the channel has ended meanwhile.
  private var hasEnded = false
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
    guard !isTaking else {
      late.append(bytes)
      return
    }
    executor.turn {
      isTaking = true
      take(bytes)
      // With anything late the channel has ended, and nothing more can be read past it.
      if let socket { intake.read(from: socket) }
      while !late.isEmpty { take(late.removeFirst()) }
      isTaking = false
      if hasEnded { intake.end() }
    }
  }

  private func take(_ bytes: ByteBuffer) { intake.take(bytes.readableBytesSpan) }

  func channelInactive(context: ChannelHandlerContext) {
    if isTaking { hasEnded = true } else { intake.end() }
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
