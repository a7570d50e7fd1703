import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct DeadlineTests {
  let server = CalculatorServer()

  func connect(
    _ limits: ConnectionLimits = ConnectionLimits()
  ) -> (client: RPCConnection, server: RPCConnection) {
    InMemoryNetwork.connect(
      server: Capability(Calculator.Client.server(server)), limits: limits)
  }

  /// The call times out, the object is told to stop, and nothing is left.
  private func expectTimeout<Results: TypedStructReader & ~Escapable, Pipeline: PipelineView>(
    of call: RemoteCall<Results, Pipeline>, _ client: RPCConnection, _ other: RPCConnection
  ) async {
    let error = await #expect(throws: RPCError.self) { try await call.finished() }
    #expect(error?.isTimeout == true)
    #expect(error?.kind == .overloaded)
    #expect(await eventually { server.cancelled.value == 1 })
    #expect(await eventually { other.tableSizes.answers == 0 })
    #expect(await eventually { client.tableSizes.questions == 0 })
    #expect(client.statistics.limitsReached == [.callTimeout: 1])
  }

  @Test func `a call that takes longer than it may is taken back`() async throws {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    await expectTimeout(of: calculator.wait().within(.milliseconds(20)), connection, other)
  }

  @Test(arguments: [Duration.seconds(Int64.max), .seconds(Int64.max) * 18])
  func `the longest times are as good as none`(time: Duration) async throws {
    let (connection, _) = connect()
    let calculator = Calculator.Client(
      connection.bootstrap(as: Calculator.Client.self), callTimeout: time)
    try await calculator.evaluate { $0.expression.literal = 1 }.finished()
    try await calculator.evaluate { $0.expression.literal = 1 }.within(time).finished()
    var policy = ReconnectPolicy()
    policy.initialDelay = time
    policy.maximumDelay = time
    policy.attemptTimeout = time
    #expect(policy.delay(after: 5, random: 0) >= .seconds(86_400))
  }

  @Test func `a time before now is over at once`() async throws {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    await expectTimeout(of: calculator.wait().within(.seconds(Int64.min)), connection, other)
  }

  @Test func `the error of a call that waits for a connection says why there is none`() async throws
  {
    var policy = ReconnectPolicy()
    policy.initialDelay = .milliseconds(1)
    let client = ReconnectingClient(policy: policy) {
      throw RPCError.disconnected("nothing listens there")
    }
    let call = client.client(as: Value.Client.self).read().within(.milliseconds(300))
    let error = await #expect(throws: RPCError.self) { try await call.finished() }
    #expect(error?.isTimeout == true)
    #expect(error?.reason.hasSuffix("there is no connection: nothing listens there") == true)
    client.close()
  }

  @Test func `a reference gives each of its calls a time`() async throws {
    let (connection, other) = connect()
    let calculator = Calculator.Client(
      connection.bootstrap(as: Calculator.Client.self), callTimeout: .milliseconds(20))
    await expectTimeout(of: calculator.wait(), connection, other)
  }

  @Test func `a connection gives each call a time`() async throws {
    var limits = ConnectionLimits()
    limits.callTimeout = .milliseconds(20)
    let (connection, other) = connect(limits)
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    await expectTimeout(of: calculator.wait(), connection, other)
  }

  @Test func `calls that cross a membrane have the connection's time as well`() async throws {
    var limits = ConnectionLimits()
    limits.callTimeout = .milliseconds(20)
    let (connection, other) = connect(limits)
    let membrane = Membrane()
    let calculator = membrane.wrap(connection.bootstrap(as: Calculator.Client.self))
    let call = calculator.wait()
    let error = await #expect(throws: RPCError.self) { try await call.finished() }
    #expect(error?.isTimeout == true)
    #expect(await eventually { server.cancelled.value == 1 })
    #expect(await eventually { other.tableSizes.answers == 0 })
  }

  @Test func `the time of a call goes before that of its reference and connection`() async throws {
    var limits = ConnectionLimits()
    limits.callTimeout = .milliseconds(1)
    let (connection, other) = connect(limits)
    let calculator = Calculator.Client(
      connection.bootstrap(as: Calculator.Client.self), callTimeout: .milliseconds(2))
    let call = calculator.wait().within(.seconds(600))
    try await Task.sleep(for: .milliseconds(50))
    #expect(server.cancelled.value == 0)
    await expectTimeout(of: call.within(.milliseconds(1)), connection, other)
  }

  @Test func `a call that ends in time is not disturbed`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let call = calculator.evaluate { $0.initExpression().literal = 4 }.within(.seconds(600))
    let value = try await call.pipeline.value.read().within(.milliseconds(5000)).results {
      $0.value
    }
    #expect(value == 4)
    // Neither is one whose time is over when it has ended.
    try await call.finished()
    #expect(try await call.within(.zero).results { $0.hasValue })
  }

  @Test func `a call of an object of this process has a time as well`() async throws {
    let calculator = Calculator.Client.server(server)
    let error = await #expect(throws: RPCError.self) {
      try await calculator.wait().within(.milliseconds(20)).finished()
    }
    #expect(error?.isTimeout == true)
    #expect(await eventually { server.cancelled.value == 1 })
  }

  @Test func `what is pipelined on a call whose time is over fails and does not keep it`()
    async throws
  {
    let hold = Hold()
    let object = SlowCalculator(hold)
    let (connection, other) = InMemoryNetwork.connect(
      server: Capability(Calculator.Client.server(object)))
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let call = calculator.evaluate().within(.milliseconds(20))
    let value = call.pipeline.value
    let error = await #expect(throws: RPCError.self) { try await call.finished() }
    #expect(error?.isTimeout == true)
    // The pipelined capability is still held.
    #expect(await eventually { other.tableSizes.answers == 0 })
    let late = await #expect(throws: RPCError.self) { try await value.read().finished() }
    #expect(late?.isTimeout == true)
    #expect(await eventually { connection.tableSizes.questions == 0 })
  }

  @Test func `a timeout is one to whoever called the caller`() async throws {
    let calculator = Calculator.Client.server(server)
    let (connection, _) = InMemoryNetwork.connect(
      server: Capability(Calculator.Client.server(ImpatientCalculator(calculator))))
    let outer = connection.bootstrap(as: Calculator.Client.self)
    let error = await #expect(throws: RPCError.self) { try await outer.wait().finished() }
    #expect(error?.isTimeout == true)
  }

  @Test func `a task group that gives up cancels its calls`() async throws {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let waiting = Task { try await calculator.wait().finished() }
    #expect(await eventually { other.tableSizes.answers == 1 })
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(await eventually { server.cancelled.value == 1 })
    #expect(await eventually { other.tableSizes.answers == 0 })
  }

  @Test func `a call that is dropped is cancelled`() async throws {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    func drop() async {
      let call = calculator.wait()
      #expect(await eventually { other.tableSizes.answers == 1 })
      withExtendedLifetime(call) {}
    }
    await drop()
    #expect(await eventually { server.cancelled.value == 1 })
    #expect(await eventually { other.tableSizes.answers == 0 })
  }
}

/// Evaluates nothing until it is cancelled.
private final class SlowCalculator: Calculator.PartialServer {
  private let hold: Hold
  init(_ hold: Hold) { self.hold = hold }
  func evaluate(_ call: EvaluateCall) async throws { try await hold.cancelled() }
}

/// Waits for another one, but not for long.
private final class ImpatientCalculator: Calculator.PartialServer {
  private let other: Calculator.Client
  init(_ other: Calculator.Client) { self.other = other }
  func wait(_ call: WaitCall) async throws {
    try await other.wait().within(.milliseconds(10)).finished()
  }
}
