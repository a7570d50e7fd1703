import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Testing

/// Calls from one vat to a second one that go on to a third.
@Suite(.timeLimit(.minutes(5))) struct ForwardingTests {
  let server = CalculatorServer()

  /// A connection to a vat that passes the calculator of another vat on.
  private func connect() -> (
    client: RPCConnection, middle: (RPCConnection, RPCConnection), server: RPCConnection
  ) {
    let far = InMemoryNetwork.connect(server: Capability(Calculator.Client.server(server)))
    let near = InMemoryNetwork.connect(
      server: Capability(far.client.bootstrap(as: Calculator.Client.self)))
    return (near.client, (near.server, far.client), far.server)
  }

  @Test func `a call that is passed on returns what the third vat returns`() async throws {
    let (connection, _, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let sum = calculator.evaluate { $0.initExpression().literal = 40 }
      .pipeline.value.plus { $0.other = 2 }.pipeline.value.read()
    #expect(try await sum.results { $0.value } == 42)
  }

  @Test func `a call that is passed on and cancelled is answered and forgotten`() async throws {
    let (connection, middle, far) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let task = Task { try await calculator.wait().results() }
    #expect(await eventually { far.tableSizes.answers == 1 })
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(await eventually { server.cancelled.value == 1 })
    // The question stays open until it is answered, whoever wants the answer.
    #expect(await eventually { connection.tableSizes.questions == 0 })
    #expect(await eventually { middle.0.tableSizes.answers == 0 })
    #expect(await eventually { middle.1.tableSizes.questions == 0 })
    #expect(await eventually { far.tableSizes.answers == 0 })
  }

  @Test func `calls on a promise of the third vat arrive in order while it resolves`()
    async throws
  {
    let (connection, _, _) = connect()
    try await expectOrder(through: connection)
  }
}
