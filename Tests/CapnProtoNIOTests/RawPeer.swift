import CapTP
import CapnProto
import CapnProtoNIO
import NIOCore
import NIOPosix
import Synchronization

/// A peer that sends bytes as they are, over a socket of this machine.
final class RawPeer: Sendable {
  private let channel: any Channel
  private let collected: Collected
  /// What has come so far.
  var received: [UInt8] { collected.bytes.withLock { $0 } }

  private init(_ channel: any Channel, _ collected: Collected) {
    self.channel = channel
    self.collected = collected
  }

  /// Connects to a listener, and closes once that does, or not.
  static func connect(to address: RPCAddress, closes: Bool = true) async throws -> RawPeer {
    guard case .tcp(let host, let port) = address else { throw ChannelError.unknownLocalAddress }
    let collected = Collected()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: true)
      // Before anything can come.
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(collected, closes))
        }
      }
      .connect(host: host, port: port).get()
    return RawPeer(channel, collected)
  }

  /// Listens, and sends each who connects the bytes once it has sent something; then closes. Nil is a
  /// listener that says nothing.
  static func listen(answering bytes: [UInt8]?) async throws -> (any Channel, RPCAddress) {
    try await listen { _ in bytes }
  }

  /// Listens, and sends each who connects what the closure makes of the first bytes that come; then
  /// closes.
  static func listen(
    answering answer: @escaping @Sendable ([UInt8]) -> [UInt8]?
  ) async throws -> (any Channel, RPCAddress) {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Answerer(answer))
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
}

/// The reason of an `Abort`; nil for other bytes.
func abortReason(_ bytes: [UInt8]) -> String? {
  guard let message = try? MessageReader(flat: bytes),
    let root = try? message.root(as: CapTP.Message.Reader.self),
    case .abort(let exception)? = try? root.which
  else { return nil }
  return try? exception.reason.string
}

private final class Collected: Sendable {
  let bytes = Mutex<[UInt8]>([])
}

private final class Collector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let collected: Collected
  private let closes: Bool
  init(_ collected: Collected, _ closes: Bool) {
    self.collected = collected
    self.closes = closes
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data).readableBytesView
    collected.bytes.withLock { $0 += bytes }
  }

  // The other side has closed its half.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if closes, event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
  }
}

private final class Answerer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let answer: @Sendable ([UInt8]) -> [UInt8]?
  init(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]?) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let bytes = answer(Array(unwrapInboundIn(data).readableBytesView)) else { return }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes))).whenComplete { _ in
      channel.close(promise: nil)
    }
  }
}
