import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct CancellationTests {
  let server = CalculatorServer()

  func connect() -> (client: RPCConnection, server: RPCConnection) {
    InMemoryNetwork.connect(server: Capability(Calculator.Client.server(server)))
  }

  @Test func `who else waits for a call that is cancelled is told`() async throws {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let call = calculator.wait()
    #expect(await eventually { other.tableSizes.answers == 1 })
    let first = Task { try await call.results() }
    let second = Task { try await call.results() }
    // Both wait before the first gives up.
    try await Task.sleep(for: .milliseconds(50))
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    let error = await #expect(throws: RPCError.self) { try await second.value }
    #expect(error == .failed("the call was cancelled"))
    // And whoever comes later.
    let late = await #expect(throws: RPCError.self) { try await call.results() }
    #expect(late == .failed("the call was cancelled"))
    #expect(await eventually { server.cancelled.value == 1 })
  }

  @Test func `a task that is cancelled already does not wait`() async throws {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let call = calculator.wait()
    let task = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return try await call.results()
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(await eventually { other.tableSizes.answers == 0 })
  }

  @Test func `a call that waits for a promise of the server is cancelled while it waits`()
    async throws
  {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let live = LiveCount()
    let promised = calculator.later { $0.value = .server(ValueServer(7, live)) }
    _ = try await promised.results()
    let waiting = Task { try await promised.pipeline.value.read().results() }
    #expect(await eventually { other.tableSizes.answers == 1 })
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    // It is answered although the promise is not settled.
    #expect(await eventually { other.tableSizes.answers == 0 })
    #expect(await eventually { connection.tableSizes.questions == 0 })
    try await calculator.settle().finished()
  }

  @Test func `a handler that throws at once has failed and was not cancelled`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let error = await #expect(throws: RPCError.self) {
      try await calculator.use { $0.times = 1 }.results()
    }
    #expect(error == .failed("no callback was given"))
  }
}
