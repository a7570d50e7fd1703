import CapnProto
import CapnProtoLifecycle
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import Logging
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(5))) struct ShutdownTests {
  private let server = ProbeServer()

  private func listen() async throws -> RPCListener {
    let server = server
    return try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0)) { _ in
      Capability(Probe.Client.server(server))
    }
  }

  @Test func `calls in progress end before their connection does`() async throws {
    let listener = try await listen()
    let busy = try await RPCConnector.connect(to: listener.address)
    let idle = try await RPCConnector.connect(to: listener.address)
    #expect(try await idle.echo(1) == 1)
    let held = busy.bootstrap(as: Probe.Client.self).hold()
    #expect(await eventually { server.heldCount == 1 })
    let shutdown = Task { await listener.shutDown(gracePeriod: .seconds(120)) }
    // Nothing is in progress there.
    #expect(try await idle.closed().reason.contains("the server is shutting down"))
    await #expect(throws: RPCError.self) { try await RPCConnector.connect(to: listener.address) }
    // The peer that is waited for may go on until then.
    #expect(try await busy.echo(2) == 2)
    server.letGo()
    #expect(try await held.results { $0.number } == 1)
    let end = try await busy.closed()
    #expect(end.kind == .disconnected)
    #expect(end.reason.contains("the server is shutting down"), "\(end)")
    await shutdown.value
    #expect(listener.openConnections.isEmpty)
  }

  @Test func `calls that go on after the grace period fail with the reason`() async throws {
    let listener = try await listen()
    let connection = try await RPCConnector.connect(to: listener.address)
    let held = connection.bootstrap(as: Probe.Client.self).hold()
    #expect(await eventually { server.heldCount == 1 })
    await listener.shutDown(gracePeriod: .milliseconds(50), reason: "back in an hour")
    let error = await #expect(throws: RPCError.self) { try await held.results() }
    #expect(error?.kind == .disconnected)
    #expect(error?.reason.contains("back in an hour") == true, "\(error as Any)")
    server.letGo()
  }

  @Test func `cancelling a shutdown ends its grace period`() async throws {
    let listener = try await listen()
    let connection = try await RPCConnector.connect(to: listener.address)
    let held = connection.bootstrap(as: Probe.Client.self).hold()
    #expect(await eventually { server.heldCount == 1 })
    let shutdown = Task { await listener.shutDown(gracePeriod: .seconds(3600)) }
    shutdown.cancel()
    await shutdown.value
    let error = await #expect(throws: RPCError.self) { try await held.results() }
    #expect(error?.reason.contains("the server is shutting down") == true, "\(error as Any)")
    server.letGo()
  }

  @Test func `a peer that does not close its end does not hold a shutdown up for long`()
    async throws
  {
    let listener = try await listen()
    let deaf = try await RawPeer.connect(to: listener.address, closes: false)
    #expect(await eventually { listener.openConnections.count == 1 })
    let start = ContinuousClock.now
    await listener.shutDown(gracePeriod: .seconds(120))
    #expect(ContinuousClock.now - start < .seconds(60))
    await deaf.close()
  }

  @Test func `a service group shuts its listener down gracefully`() async throws {
    let (listening, started) = AsyncStream<RPCListener>.makeStream()
    let service = RPCListenerService(gracePeriod: .seconds(120)) {
      let listener = try await listen()
      started.yield(listener)
      return listener
    }
    let group = ServiceGroup(
      configuration: .init(services: [service], logger: Logger(label: "test")))
    let running = Task { try await group.run() }
    var listeners = listening.makeAsyncIterator()
    let listener = try #require(await listeners.next())
    let connection = try await RPCConnector.connect(to: listener.address)
    let held = connection.bootstrap(as: Probe.Client.self).hold()
    #expect(await eventually { server.heldCount == 1 })
    await group.triggerGracefulShutdown()
    server.letGo()
    #expect(try await held.results { $0.number } == 1)
    try await running.value
    #expect(try await connection.closed().reason.contains("the server is shutting down"))
  }

  @Test func `a service that is cancelled closes its listener`() async throws {
    let (listening, started) = AsyncStream<RPCListener>.makeStream()
    let service = RPCListenerService {
      let listener = try await listen()
      started.yield(listener)
      return listener
    }
    let running = Task { try await service.run() }
    var listeners = listening.makeAsyncIterator()
    let listener = try #require(await listeners.next())
    let connection = try await RPCConnector.connect(to: listener.address)
    #expect(try await connection.echo(1) == 1)
    running.cancel()
    await #expect(throws: CancellationError.self) { try await running.value }
    _ = try await connection.closed()
    await #expect(throws: RPCError.self) { try await RPCConnector.connect(to: listener.address) }
  }
}
