import CapTP
import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// Peers that do not keep to the protocol, over a real socket.
@Suite(.timeLimit(.minutes(5))) struct HostilePeerTests {
  let server = CalculatorServer()

  private func listen() async throws -> RPCListener {
    let server = server
    return try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0)) { _ in
      Capability(Calculator.Client.server(server))
    }
  }

  /// What the listener sends back before it closes the connection.
  private func answer(to bytes: [UInt8], from listener: RPCListener) async throws -> [UInt8] {
    guard case .tcp(let host, let port) = listener.address else { return [] }
    let received = Received()
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(received))
        }
      }
      .connect(host: host, port: port).get()
    try await channel.writeAndFlush(channel.allocator.buffer(bytes: bytes)).get()
    try await channel.closeFuture.get()
    return received.bytes
  }

  private func reason(_ bytes: [UInt8]) throws -> String {
    let message = try MessageReader(flat: bytes)
    let root = try message.root(as: CapTP.Message.Reader.self)
    guard case .abort(let error) = try root.which else { return "not an abort" }
    return try error.reason.string
  }

  @Test(arguments: [
    // 2^32 segments.
    (
      [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0] as [UInt8],
      "the first message cannot be read, so the peer may not speak Cap'n Proto RPC"
    ),
    // One word, which is a pointer that leads out of the message.
    ([0, 0, 0, 0, 1, 0, 0, 0, 0xf0, 0, 0, 0, 4, 0, 1, 0], "a message is invalid"),
  ])
  func `a frame that cannot be read ends its connection with a reason, and no other one`(
    _ bytes: [UInt8], _ expected: String
  ) async throws {
    let listener = try await listen()
    let good = try await RPCConnector.connect(to: listener.address)
    let calculator = good.bootstrap(as: Calculator.Client.self)
    let value = calculator.evaluate { $0.initExpression().literal = 7 }.pipeline.value
    #expect(try await value.read().results { $0.value } == 7)
    let seen = try reason(await answer(to: bytes, from: listener))
    #expect(seen.hasPrefix(expected), "got \(seen)")
    #expect(try await value.read().results { $0.value } == 7)
    good.close()
    await listener.close()
  }
}

private final class Received: Sendable {
  private let collected = Mutex<[UInt8]>([])
  var bytes: [UInt8] { collected.withLock { $0 } }
  func append(_ bytes: [UInt8]) { collected.withLock { $0 += bytes } }
}

/// Collects what comes in.
private final class Collector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let received: Received

  init(_ received: Received) { self.received = received }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received.append(Array(unwrapInboundIn(data).readableBytesView))
  }
}
