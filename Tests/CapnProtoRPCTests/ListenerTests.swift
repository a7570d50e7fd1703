import CapTP
import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import NIOCore
import NIOPosix
import Testing

@Suite(.timeLimit(.minutes(5))) struct ListenerTests {
  private func listen(
    limits: ConnectionLimits = ConnectionLimits(), connectionLimit: Int = .max,
    _ note: @escaping @Sendable (IncomingConnection) -> Void = { _ in }
  ) async throws -> RPCListener {
    try await RPCListener.listen(
      on: .tcp(host: "127.0.0.1", port: 0), limits: limits, connectionLimit: connectionLimit
    ) {
      note($0)
      return Capability(Calculator.Client.server(CalculatorServer()))
    }
  }

  private func evaluate(
    _ connection: RPCConnection, _ number: Double = 1
  ) async throws -> Double {
    try await connection.bootstrap(as: Calculator.Client.self)
      .evaluate { $0.initExpression().literal = number }.pipeline.value.read()
      .results { $0.value }
  }

  @Test func `a connection over the limit is refused in words until another one ends`()
    async throws
  {
    let listener = try await listen(connectionLimit: 2)
    let first = try await RPCConnector.connect(to: listener.address)
    let second = try await RPCConnector.connect(to: listener.address)
    #expect(try await evaluate(first) == 1)
    #expect(try await evaluate(second) == 1)
    for _ in 1...20 {
      let third = try await RPCConnector.connect(to: listener.address)
      let error = await #expect(throws: RPCError.self) { try await evaluate(third) }
      #expect(error?.kind == .disconnected)
      #expect(error?.reason.contains("2 connections are open here") == true, "\(error as Any)")
    }
    #expect(try await evaluate(first, 2) == 2)
    first.close()
    #expect(await eventually { listener.openConnections.count == 1 })
    let fourth = try await RPCConnector.connect(to: listener.address)
    #expect(try await evaluate(fourth, 3) == 3)
    await listener.close()
  }

  @Test func `peers that do not read what they are told do not keep ever more sockets`()
    async throws
  {
    let listener = try await listen(connectionLimit: 1)
    guard case .tcp(let host, let port) = listener.address else { return }
    let first = try await RPCConnector.connect(to: listener.address)
    #expect(try await evaluate(first) == 1)
    // As many as are told why at one time; again where that took so long that the first were let go.
    var deaf: [any Channel] = []
    func isClosedWithoutWords() async throws -> Bool {
      for _ in 1...32 {
        deaf.append(
          try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: host, port: port).get())
      }
      let error = await #expect(throws: RPCError.self) {
        try await evaluate(try await RPCConnector.connect(to: listener.address))
      }
      #expect(error?.kind == .disconnected)
      return error?.reason.contains("connections are open here") == false
    }
    var isSilent = false
    for _ in 1...10 where !isSilent { isSilent = try await isClosedWithoutWords() }
    #expect(isSilent)
    for channel in deaf { try? await channel.close() }
    let told = await eventually {
      do {
        _ = try await evaluate(try await RPCConnector.connect(to: listener.address))
        return false
      } catch {
        return "\(error)".contains("connections are open here")
      }
    }
    #expect(told)
    await listener.close()
  }

  @Test func `who waits for the end of a connection can be cancelled`() async throws {
    let listener = try await listen()
    let connection = try await RPCConnector.connect(to: listener.address)
    let waiter = Task { try await connection.closed() }
    waiter.cancel()
    await #expect(throws: CancellationError.self) { try await waiter.value }
    connection.close()
    #expect(try await connection.closed().kind == .disconnected)
    await listener.close()
  }

  @Test func `a message over the listener's limit ends its connection in words`() async throws {
    var limits = ConnectionLimits()
    limits.messageWords = 1024
    let (seen, found) = AsyncStream<RPCConnection>.makeStream()
    let listener = try await listen(limits: limits) { found.yield($0.connection) }
    let connection = try await RPCConnector.connect(to: listener.address)
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let error = await #expect(throws: RPCError.self) {
      try await calculator.fail { $0.reason = String(repeating: "x", count: 100_000) }.results()
    }
    #expect(error?.kind == .disconnected)
    #expect(error?.reason.contains("more than the limit of 1024") == true, "\(error as Any)")
    var servers = seen.makeAsyncIterator()
    let server = try #require(await servers.next())
    #expect(server.statistics.limitsReached == [.messageWords: 1])
    await listener.close()
  }

  @Test func `a peer that leaves too much unread is given up`() async throws {
    var limits = ConnectionLimits()
    limits.unwrittenBytes = 10_000
    let (seen, found) = AsyncStream<RPCConnection>.makeStream()
    let listener = try await listen(limits: limits) { found.yield($0.connection) }
    let connection = try await RPCConnector.connect(to: listener.address)
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let call = calculator.fail { $0.reason = String(repeating: "x", count: 20_000) }
    await #expect(throws: RPCError.self) { try await call.results() }
    var servers = seen.makeAsyncIterator()
    let server = try #require(await servers.next())
    #expect(try await server.closed().reason.contains("more than 10000 bytes wait"))
    #expect(server.statistics.limitsReached == [.unwrittenBytes: 1])
    await listener.close()
  }

  @Test func `connections of two listeners are numbered apart`() async throws {
    let (seen, found) = AsyncStream<UInt64>.makeStream()
    var listeners: [RPCListener] = []
    for _ in 1...2 { listeners.append(try await listen { found.yield($0.id) }) }
    var ids: Set<UInt64> = []
    var numbers = seen.makeAsyncIterator()
    for listener in listeners {
      let connection = try await RPCConnector.connect(to: listener.address)
      #expect(try await evaluate(connection) == 1)
      ids.insert(try #require(await numbers.next()))
    }
    #expect(ids.count == 2)
    for listener in listeners { await listener.close() }
  }

  @Test func `a port in use is an error that says what to do`() async throws {
    let listener = try await listen()
    let error = await #expect(throws: RPCError.self) {
      _ = try await RPCListener.listen(on: listener.address) { _ in nil }
    }
    #expect(error?.reason.contains("is in use; end the program that listens there") == true)
    await listener.close()
  }
}
