import CapTP
import CapnProto
import CapnProtoNIO
import NIOCore
import NIOPosix
import Synchronization

/// A peer that sends bytes as they are, over a socket of this machine.
final class RawPeer: Sendable {
  private let channel: any Channel
  private let collected = Mutex<[UInt8]>([])
  /// What has come so far.
  var received: [UInt8] { collected.withLock { $0 } }

  private init(_ channel: any Channel) { self.channel = channel }

  /// Connects to a listener, and closes once that does, or not.
  static func connect(to address: RPCAddress, closes: Bool = true) async throws -> RawPeer {
    guard case .tcp(let host, let port) = address else { throw ChannelError.unknownLocalAddress }
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .connect(host: host, port: port).get()
    let peer = RawPeer(channel)
    try await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.addHandler(Collector(peer, closes))
    }.get()
    return peer
  }

  /// Listens, and sends each who connects the bytes once it has sent something; then closes. Nil is a
  /// listener that says nothing.
  static func listen(answering bytes: [UInt8]?) async throws -> (any Channel, RPCAddress) {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Answerer(bytes))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return (channel, .tcp(host: "127.0.0.1", port: channel.localAddress?.port ?? 0))
  }

  func send(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  func close() async { try? await channel.close() }

  /// All that came until the other side closed.
  func everything() async throws -> [UInt8] {
    try await channel.closeFuture.get()
    return received
  }

  fileprivate func append(_ bytes: [UInt8]) { collected.withLock { $0 += bytes } }
}

/// The reason of an `Abort`; nil for other bytes.
func abortReason(_ bytes: [UInt8]) -> String? {
  guard let message = try? MessageReader(flat: bytes),
    let root = try? message.root(as: CapTP.Message.Reader.self),
    case .abort(let exception)? = try? root.which
  else { return nil }
  return try? exception.reason.string
}

private final class Collector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let peer: RawPeer
  private let closes: Bool
  init(_ peer: RawPeer, _ closes: Bool) {
    self.peer = peer
    self.closes = closes
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    peer.append(Array(unwrapInboundIn(data).readableBytesView))
  }

  // The other side has closed its half.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if closes, event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
  }
}

private final class Answerer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let bytes: [UInt8]?
  init(_ bytes: [UInt8]?) { self.bytes = bytes }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let bytes else { return }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes))).whenComplete { _ in
      channel.close(promise: nil)
    }
  }
}
