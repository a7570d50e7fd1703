import NIOCore
import NIOWebSocket

/// A frame that breaks a rule of RFC 6455.
struct WebSocketViolation: Error {
  let words: String
}

/// Checks frames before fragments are put together, which loses what is checked.
final class WebSocketRules: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias InboundOut = WebSocketFrame

  private let isServer: Bool
  private var isBroken = false

  init(isServer: Bool) { self.isServer = isServer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isBroken else { return }
    if let words = violation(unwrapInboundIn(data)) {
      isBroken = true
      context.fireErrorCaught(WebSocketViolation(words: words))
    } else {
      context.fireChannelRead(data)
    }
  }

  private func violation(_ frame: WebSocketFrame) -> String? {
    // Section 5.1.
    if (frame.maskKey != nil) != isServer {
      return isServer ? "a frame of a client is not masked" : "a frame of a server is masked"
    }
    // Section 5.2.
    if !frame.reservedBits.isEmpty { return "a frame uses an extension that was not agreed on" }
    switch frame.opcode {
    case .binary, .text, .continuation, .ping, .pong, .connectionClose: return nil
    default: return "a frame has an opcode that is not known"
    }
  }
}
