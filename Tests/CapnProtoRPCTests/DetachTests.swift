import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

/// Calls that no task awaits, and calls that are cancelled by their callers.
@Suite(.timeLimit(.minutes(5))) struct DetachTests {
  let server = CalculatorServer()
  let recorder = Recorder()

  private func connect() -> (client: RPCConnection, server: RPCConnection) {
    InMemoryNetwork.connect(server: Capability(Calculator.Client.server(server)))
  }

  @Test func `a detached call goes on though nothing refers to it`() async throws {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    // The method calls back, which takes some messages both ways.
    calculator.use {
      $0.callback = .server(recorder)
      $0.times = 3
    }.detach()
    #expect(
      await eventually { other.tableSizes.answers == 0 && connection.tableSizes.questions == 0 })
    #expect(await recorder.numbers == [0, 1, 2])
  }

  @Test func `a call that is dropped is cancelled`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    _ = calculator.wait()
    #expect(await eventually { server.cancelled.value == 1 })
  }

  @Test func `a detached call tells its error`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let errors = Mutex<[RPCError]>([])
    calculator.fail { $0.reason = "no" }.detach { error in errors.withLock { $0.append(error) } }
    #expect(await eventually { errors.withLock { $0 == [.failed("no")] } })
  }

  @Test func `the end of the connection is the error of a detached call`() async throws {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let errors = Mutex<[RPCError]>([])
    calculator.wait().detach { error in errors.withLock { $0.append(error) } }
    #expect(await eventually { other.tableSizes.answers == 1 })
    connection.close()
    #expect(await eventually { errors.withLock { $0.map(\.kind) == [.disconnected] } })
  }

  @Test func `a call that has ended can be detached`() async throws {
    let calculator = Calculator.Client.server(server)
    let call = calculator.fail { $0.reason = "no" }
    await #expect(throws: RPCError.self) { try await call.finished() }
    let count = Atomic(0)
    call.detach { _ in count.add(1, ordering: .relaxed) }
    #expect(count.load(ordering: .relaxed) == 1)
  }

  @Test func `a call that is cancelled ends for the task that awaits it and for its object`()
    async throws
  {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let call = calculator.wait()
    #expect(await eventually { other.tableSizes.answers == 1 })
    let waiting = Task { try await call.results() }
    call.cancel()
    let error = await #expect(throws: RPCError.self) { try await waiting.value }
    #expect(error == .failed("the call was cancelled"))
    #expect(await eventually { server.cancelled.value == 1 })
    #expect(await eventually { connection.tableSizes.questions == 0 })
    call.cancel()
  }

  @Test func `calls on the results of a cancelled call fail`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let live = LiveCount()
    let promised = calculator.later { $0.value = .server(ValueServer(7, live)) }
    let value = promised.pipeline.value
    promised.cancel()
    let error = await #expect(throws: RPCError.self) { try await value.read().finished() }
    #expect(error == .failed("the call was cancelled"))
  }
}
