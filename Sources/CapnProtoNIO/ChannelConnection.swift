import CapnProtoRPC
import Logging
import NIOCore

/// A connection whose messages go over a channel. All of it is for the event loop of the channel.
struct ChannelConnection {
  let connection: RPCConnection
  private let channel: any Channel
  private let executor: EventLoopExecutor
  private let limits: ConnectionLimits
  /// Whether there are layers in the channel that change the bytes.
  private let hasLayers: Bool

  init(
    _ channel: any Channel, bootstrap: Capability?, limits: ConnectionLimits, hasLayers: Bool,
    logger: Logger, observers: [any ConnectionObserver]
  ) {
    executor = EventLoopExecutor(channel.eventLoop)
    connection = RPCConnection(
      bootstrap: bootstrap, limits: limits,
      transport: ChannelTransport(channel, executor, limits, hasLayers: hasLayers),
      executor: executor, logger: logger, observers: observers)
    self.channel = channel
    self.limits = limits
    self.hasLayers = hasLayers
  }

  /// Adds what reads the messages to the end of the channel's pipeline.
  func read(isIncoming: Bool) throws {
    let pipeline = channel.pipeline.syncOperations
    let keepAlive = KeepAliveHandler(limits) { [connection] in
      connection.note(.silence)
      connection.disconnect(KeepAliveHandler.error)
    }
    // Next to the socket.
    if let keepAlive { try pipeline.addHandler(keepAlive, position: .first) }
    try pipeline.addHandlers(
      FirstBytesHandler(expected: .messages, isIncoming: isIncoming) { [connection] in
        connection.disconnect($0.error)
      },
      MessageHandler(connection, executor, limits, hasLayers ? nil : ChannelSocket(channel)))
  }
}
