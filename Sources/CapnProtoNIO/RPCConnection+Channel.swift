import CapnProtoRPC
import NIOCore

extension RPCConnection {
  /// Adds what reads the messages of the connection to the end of the channel's pipeline, on its event
  /// loop.
  func read(
    from channel: any Channel, _ limits: ConnectionLimits, hasLayers: Bool, isIncoming: Bool
  ) throws {
    let pipeline = channel.pipeline.syncOperations
    let keepAlive = KeepAliveHandler(limits) {
      self.note(.silence)
      self.disconnect(KeepAliveHandler.error)
    }
    // Next to the socket.
    if let keepAlive { try pipeline.addHandler(keepAlive, position: .first) }
    try pipeline.addHandlers(
      FirstBytesHandler(expected: .messages, isIncoming: isIncoming) {
        self.disconnect($0.error)
      },
      MessageHandler(self, limits, hasLayers ? nil : ChannelSocket(channel)))
  }
}
