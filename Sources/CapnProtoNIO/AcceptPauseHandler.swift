import Logging
import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Pauses a listener while the system has no descriptor or memory for another connection.
///
/// The connection that cannot be accepted stays in the backlog, so that the listening socket is ready
/// again at once: without a pause each turn of the event loop would fail to accept it. The log gets a
/// line when a shortage begins, and one when it is over, however many connections wait meanwhile.
final class AcceptPauseHandler: ChannelInboundHandler {
  typealias InboundIn = any Channel

  /// The time from an attempt that failed to the next one.
  static let pause = TimeAmount.milliseconds(100)
  /// How long no attempt may fail until a shortage counts as over.
  static let recovery = TimeAmount.seconds(10)

  private let logger: Logger
  /// Ends the pause; `nil` while there is none.
  private var timer: Scheduled<Void>?
  /// When an attempt failed last, while there is a shortage.
  private var lastFailure: NIODeadline?

  private let setReading: (ChannelHandlerContext, Bool) -> Void

  /// Creates a handler.
  ///
  /// - Parameters:
  ///   - logger: Gets a line when a shortage begins, and when it is over.
  ///   - setReading: Stops reading from the channel, or goes on.
  init(
    _ logger: Logger,
    setReading: @escaping (ChannelHandlerContext, Bool) -> Void = { context, isReading in
      // A channel that is closed has nothing to read.
      try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }
  ) {
    self.logger = logger
    self.setReading = setReading
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? IOError, Self.isShortage(error.errnoCode) else {
      context.fireErrorCaught(error)
      return
    }
    if lastFailure == nil {
      logger.warning(
        """
        connections cannot be accepted: the system has no descriptor or no memory left; they wait \
        until others are closed
        """, metadata: ["errno": "\(error.errnoCode)"])
    }
    lastFailure = context.eventLoop.now
    guard timer == nil else { return }
    // It is not enough not to pass reads on: the socket stays registered until one has succeeded.
    setReading(context, false)
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
      self.timer = nil
      self.setReading(context, true)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if let last = lastFailure, context.eventLoop.now - last >= Self.recovery {
      lastFailure = nil
      logger.notice("connections are accepted again")
    }
    context.fireChannelRead(data)
  }

  func channelInactive(context: ChannelHandlerContext) {
    stop()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { stop() }

  private func stop() {
    timer?.cancel()
    timer = nil
  }

  private static func isShortage(_ code: CInt) -> Bool {
    [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code)
  }
}
