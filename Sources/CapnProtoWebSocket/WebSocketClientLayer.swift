import CapTP
import CapnProtoNIO
import CapnProtoRPC
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// The client's end of WebSocket.
struct WebSocketClientLayer: ChannelLayer {
  let address: WebSocketAddress
  let frameLimit: Int
  var language: PeerLanguage { .http }

  func open(on channel: any Channel, isIncoming: Bool) throws -> EventLoopFuture<PeerCertificate?> {
    let opened = channel.eventLoop.makePromise(of: PeerCertificate?.self)
    let request = HTTPRequestHandler(address, opened)
    let bound = NIOLoopBound(request, eventLoop: channel.eventLoop)
    let frameLimit = frameLimit
    let upgrader = NIOWebSocketClientUpgrader(
      maxFrameSize: frameLimit, automaticErrorHandling: false,
      upgradePipelineHandler: { channel, _ in
        channel.eventLoop.makeCompletedFuture {
          channel.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
          try WebSocketLayer.addHandlers(to: channel, isServer: false, frameLimit: frameLimit)
          opened.succeed(nil)
        }
      })
    try channel.pipeline.syncOperations.addHTTPClientHandlers(
      leftOverBytesStrategy: .forwardBytes,
      withClientUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
    try channel.pipeline.syncOperations.addHandler(request)
    return opened.futureResult
  }
}

/// Asks for WebSocket, and reads the answer if it is a refusal.
private final class HTTPRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private let address: WebSocketAddress
  private let opened: EventLoopPromise<PeerCertificate?>
  private var isSent = false
  private var status: HTTPResponseStatus?
  private var text = ByteBuffer()
  /// Bytes of an answer that are read.
  private static let textLimit = 400

  init(_ address: WebSocketAddress, _ opened: EventLoopPromise<PeerCertificate?>) {
    self.address = address
    self.opened = opened
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { send(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    send(context)
    context.fireChannelActive()
  }

  private func send(_ context: ChannelHandlerContext) {
    guard !isSent else { return }
    isSent = true
    let head = HTTPRequestHead(
      version: .http1_1, method: .GET, uri: address.path, headers: ["host": address.hostField])
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): status = head.status
    case .body(let part):
      text.writeBytes(part.readableBytesView.prefix(Self.textLimit - text.readableBytes))
    case .end: refused()
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    opened.fail(RPCError.disconnected("the server's answer is no WebSocket: \(error)"))
  }

  func channelInactive(context: ChannelHandlerContext) {
    if status != nil { refused() }
    context.fireChannelInactive()
  }

  private func refused() {
    guard let status else { return }
    let words = MessageSummary.printable(text.readableBytesView)
    opened.fail(
      RPCError(
        Self.isPassing(status) ? .disconnected : .failed,
        "the server refuses WebSocket at \(address) with status \(status.code): \(words)"))
  }

  /// Whether the server may agree a while later (RFC 9110, section 15).
  private static func isPassing(_ status: HTTPResponseStatus) -> Bool {
    switch status.code {
    // Too slow, too early, too many.
    case 408, 425, 429: true
    // It cannot do it at all, or not with this version of HTTP.
    case 501, 505: false
    case let code: code >= 500
    }
  }
}
