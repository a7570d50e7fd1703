import CapTP
import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import Glibc
import NIOCore
import NIOPosix
import Testing

@Suite(.timeLimit(.minutes(5))) struct ResetTests {
  /// The bootstrap call, and calls on what it returns, in one run of bytes.
  private func calls(_ count: UInt32) -> [UInt8] {
    let bootstrap = MessageBuilder()
    bootstrap.build(Message.Builder.self) { $0.initBootstrap().questionId = 0 }
    var bytes = bootstrap.flattened()
    for number in 1...count {
      let message = MessageBuilder()
      message.build(Message.Builder.self) {
        let call = $0.initCall()
        call.questionId = number
        call.interfaceId = Probe.Client._interface.id
        call.initTarget().initPromisedAnswer().questionId = 0
        call.initParams().content.initStructure(as: Probe.EchoParams.Builder.self).number = 7
      }
      bytes += message.flattened()
    }
    return bytes
  }

  @Test(arguments: [1, 7, 8, 9, 200] as [UInt32])
  func `a peer that resets the connection before it is answered ends that connection alone`(
    _ count: UInt32
  ) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = ProbeServer()
    let listener = try await RPCListener.listen(
      on: .tcp(host: "127.0.0.1", port: 0), group: group
    ) { _ in Capability(Probe.Client.server(server)) }
    guard case .tcp(let host, let port) = listener.address else {
      Issue.record("the listener has no address of TCP")
      return
    }
    let other = try await RPCConnector.connect(to: listener.address)
    for round in 1...5 {
      let peer = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: host, port: port).get()
      let socket = try #require(peer as? any SocketOptionProvider)
      try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
      // The calls and the reset are both there when the listener's event loop reads.
      let isBlocked = group.next().submit { usleep(50_000) }
      try await peer.writeAndFlush(ByteBuffer(bytes: calls(count))).get()
      try await peer.close()
      _ = try await isBlocked.get()
      let found = try await other.bootstrap(as: Probe.Client.self).echo { $0.number = 3 }
        .results { $0.number }
      #expect(found == 3)
      #expect(await eventually { server.numbers.count >= round })
    }
    #expect(await eventually { listener.openConnections.count == 1 })
    other.close()
    await listener.close()
    try await group.shutdownGracefully()
  }
}
