import CapnProtoRPC
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import CapnProtoNIO

struct ConnectionAcceptorTests {
  private func acceptor(_ layers: [any ChannelLayer], limit: Int) -> ConnectionAcceptor {
    ConnectionAcceptor(
      layers: layers, passesDescriptors: false, limits: ConnectionLimits(), connectionLimit: limit,
      handshakeTimeout: .seconds(60), logger: Logger(label: "test"), observers: [],
      whenClosed: { _ in }, bootstrap: { _ in nil }, connections: OpenConnections(limit: limit))
  }

  private func accept(
    _ acceptor: ConnectionAcceptor, _ channel: EmbeddedChannel
  ) throws -> EmbeddedChannel {
    try acceptor.accept(channel)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    channel.embeddedEventLoop.run()
    return channel
  }

  /// Whether another connection is told that there are too many.
  private func isFull(_ acceptor: ConnectionAcceptor) throws -> Bool {
    let channel = try accept(acceptor, EmbeddedChannel(handler: HalfClosing()))
    let answer = try channel.readOutbound(as: ByteBuffer.self) ?? ByteBuffer()
    _ = try? channel.finish()
    return abortReason(Array(answer.readableBytesView)) != nil
  }

  @Test func `a socket counts until it is closed, also once its layers have failed`() throws {
    let acceptor = acceptor([FailingLayer()], limit: 1)
    let failed = try accept(acceptor, EmbeddedChannel(handler: HalfClosing()))
    #expect(failed.isActive)
    #expect(try isFull(acceptor))
    failed.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(!failed.isActive)
    #expect(try !isFull(acceptor))
  }
}

private struct FailingLayer: ChannelLayer {
  var language: PeerLanguage { .tls }

  func open(on channel: any Channel, isIncoming: Bool) throws -> EventLoopFuture<PeerCertificate?> {
    channel.eventLoop.makeFailedFuture(RPCError.disconnected("this layer cannot be opened"))
  }
}

/// Closes half of the channel as a socket does, whose peer has not closed its own.
private final class HalfClosing: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    if mode == .output { promise?.succeed(()) } else { context.close(mode: mode, promise: promise) }
  }
}
