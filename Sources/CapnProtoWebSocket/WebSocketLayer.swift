import CapnProtoNIO
import CapnProtoRPC
import NIOCore
import NIOWebSocket

/// WebSocket below the messages of a connection.
enum WebSocketLayer {
  /// Bytes of a frame that a message within the limits can take, with the head of most segments.
  static func frameLimit(_ limits: ConnectionLimits) -> Int {
    min(max(limits.messageWords, 0), Int(UInt32.max) / 8 - 1024) * 8 + 4096
  }

  /// Adds what carries messages, behind the decoder and encoder of frames.
  static func addHandlers(
    to channel: any Channel, isServer: Bool, frameLimit: Int
  ) throws {
    try channel.pipeline.syncOperations.addHandlers(
      WebSocketRules(isServer: isServer),
      // Fragments of any size are taken, and no more of them than a long message has of 4 KiB.
      NIOWebSocketFrameAggregator(
        minNonFinalFragmentSize: 1, maxAccumulatedFrameCount: max(1024, frameLimit / 4096),
        maxAccumulatedFrameSize: frameLimit),
      WebSocketMessageHandler(isServer: isServer))
  }
}
