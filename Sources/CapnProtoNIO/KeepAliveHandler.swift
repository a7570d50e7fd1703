import CapTP
import CapnProto
import CapnProtoRPC
import NIOCore

/// Asks a peer that is not heard for a sign of life, and gives it up if there is none.
///
/// It is next to the socket, where parts of a long message are heard as they come.
final class KeepAliveHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let limits: ConnectionLimits
  private let giveUp: () -> Void
  private var clock: SilenceClock?
  private var timer: Scheduled<Void>?

  /// A handler; nil if the limits ask for none.
  init?(_ limits: ConnectionLimits, giveUp: @escaping () -> Void) {
    guard limits.silence != nil || limits.pingAfter != nil else { return nil }
    self.limits = limits
    self.giveUp = giveUp
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { start(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    start(context)
    context.fireChannelActive()
  }

  private func start(_ context: ChannelHandlerContext) {
    guard clock == nil else { return }
    clock = SilenceClock(
      pingAfter: limits.pingAfter, limit: limits.silence, now: context.eventLoop.now)
    look(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    clock?.heard(at: context.eventLoop.now)
    context.fireChannelRead(data)
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    clock = nil
    context.fireChannelInactive()
  }

  private func look(_ context: ChannelHandlerContext) {
    let now = context.eventLoop.now
    // A peer that this side holds back cannot be heard.
    if (try? context.channel.syncOptions?.getOption(.autoRead)) == false { clock?.heard(at: now) }
    switch clock?.action(at: now) {
    case nil: break
    case .wait(let time)?: schedule(time, context)
    case .ping(let time)?:
      context.channel.writeAndFlush(ByteBuffer(bytes: Self.ping), promise: nil)
      schedule(time, context)
    case .end?:
      clock = nil
      giveUp()
    }
  }

  private func schedule(_ time: NIODeadline, _ context: ChannelHandlerContext) {
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: time) { self.look(context) }
  }

  /// Why the connection to such a peer ends.
  static let error = RPCError.disconnected("nothing has come from the peer for too long (silence)")

  /// A message that rpc.capnp has given up, without content: who receives it does nothing but send it
  /// back as `unimplemented`, whichever implementation it is.
  static let ping: [UInt8] = {
    let message = MessageBuilder(firstSegmentWords: 32)
    message.build(CapTP.Message.Builder.self) { _ = $0.obsoleteSaveField.initPointer() }
    return message.flattened()
  }()
}
