import CapnProtoNIO
import CapnProtoRPC
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Which requests a listener takes.
struct WebSocketAdmission: Sendable {
  let path: String
  let origins: Set<String>

  /// Why the request is not taken; nil if it is.
  func refusal(of head: HTTPRequestHead) -> (status: HTTPResponseStatus, words: String)? {
    guard head.uri == path else {
      return (.notFound, "nothing is served at this path")
    }
    // A browser says which page asks, and lets any page ask (RFC 6455, section 10.2).
    for origin in head.headers["origin"] where !origins.contains(origin) {
      return (.forbidden, "this origin may not connect")
    }
    guard
      head.headers[canonicalForm: "upgrade"].contains(where: { $0.lowercased() == "websocket" }),
      head.headers["sec-websocket-version"] == ["13"],
      head.headers["sec-websocket-key"].count == 1
    else {
      return (
        .upgradeRequired,
        "this address speaks Cap'n Proto RPC over WebSocket: connect with version 13 of it"
      )
    }
    return nil
  }
}

/// The server's end of WebSocket.
struct WebSocketServerLayer: ChannelLayer {
  let admission: WebSocketAdmission
  let frameLimit: Int
  var language: PeerLanguage { .http }

  func open(on channel: any Channel, isIncoming: Bool) throws -> EventLoopFuture<PeerCertificate?> {
    let opened = channel.eventLoop.makePromise(of: PeerCertificate?.self)
    let refusal = HTTPRefusalHandler(admission, opened)
    let bound = NIOLoopBound(refusal, eventLoop: channel.eventLoop)
    let (admission, frameLimit) = (admission, frameLimit)
    let upgrader = NIOWebSocketServerUpgrader(
      maxFrameSize: frameLimit, automaticErrorHandling: false,
      shouldUpgrade: { channel, head in
        channel.eventLoop.makeSucceededFuture(admission.refusal(of: head) == nil ? [:] : nil)
      },
      upgradePipelineHandler: { channel, _ in
        channel.eventLoop.makeCompletedFuture {
          channel.pipeline.syncOperations.removeHandler(bound.value, promise: nil)
          try WebSocketLayer.addHandlers(to: channel, isServer: true, frameLimit: frameLimit)
          opened.succeed(nil)
        }
      })
    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
      withPipeliningAssistance: false,
      withServerUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
    try channel.pipeline.syncOperations.addHandler(refusal)
    return opened.futureResult
  }
}

/// Answers a request that is not taken, in words, and closes the connection.
private final class HTTPRefusalHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let admission: WebSocketAdmission
  private let opened: EventLoopPromise<PeerCertificate?>

  init(_ admission: WebSocketAdmission, _ opened: EventLoopPromise<PeerCertificate?>) {
    self.admission = admission
    self.opened = opened
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data) else { return }
    let (status, words) =
      admission.refusal(of: head) ?? (.badRequest, "the request is no handshake of WebSocket")
    let text = ByteBuffer(string: words + "\n")
    var headers: HTTPHeaders = [
      "content-type": "text/plain; charset=utf-8", "content-length": "\(text.readableBytes)",
      "connection": "close",
    ]
    if status == .upgradeRequired {
      headers.add(name: "upgrade", value: "websocket")
      headers.add(name: "sec-websocket-version", value: "13")
    }
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
      promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(text))), promise: nil)
    let opened = opened
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
      opened.fail(RPCError.disconnected("a request was answered with \(status.code): \(words)"))
    }
  }

  // Of an upgrade that is not taken, which the request behind it says better.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is NIOWebSocketUpgradeError { return }
    opened.fail(RPCError.disconnected("a request cannot be read: \(error)"))
  }
}
