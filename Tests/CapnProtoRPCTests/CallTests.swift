import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct CallTests {
  let server = CalculatorServer()

  func connect() -> (client: RPCConnection, server: RPCConnection) {
    InMemoryNetwork.connect(server: Capability(Calculator.Client.server(server)))
  }

  @Test func `a chain of pipelined calls needs no answer in between`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let sum = calculator.evaluate { $0.initExpression().literal = 40 }
      .pipeline.value.plus { $0.other = 2 }.pipeline.value.read()
    #expect(try await sum.results { $0.value } == 42)
  }

  @Test func `capabilities in params refer to results that are not there yet`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let left = calculator.evaluate { $0.initExpression().literal = 1 }.pipeline.value
    let right = calculator.evaluate { $0.initExpression().literal = 2 }.pipeline.value
    let sum = calculator.evaluate {
      let operands = $0.initExpression().initSum()
      operands.left = left
      operands.right = right
    }
    #expect(try await sum.pipeline.value.read().results { $0.value } == 3)
  }

  @Test(arguments: RPCError.Kind.allCases)
  func `an error of each kind arrives with its reason`(_ kind: RPCError.Kind) async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let call = calculator.fail {
      $0.kind = kind.rawValue
      $0.reason = "no luck"
    }
    let error = await #expect(throws: RPCError.self) { try await call.results() }
    #expect(error?.kind == kind)
    #expect(error?.reason == "no luck")
  }

  @Test func `a call that is pipelined on a failed one fails with its error`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let call = calculator.evaluate { _ = $0.initExpression().initSum() }
    let error = await #expect(throws: RPCError.self) {
      try await call.pipeline.value.read().results()
    }
    #expect(error?.reason == "an operand is missing")
  }

  @Test func `the server calls an object of the client`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let recorder = Recorder()
    let call = calculator.use {
      $0.callback = .server(recorder)
      $0.times = 10
    }
    #expect(try await call.results { $0.sum } == 90)
    #expect(await recorder.numbers == Array(0..<10))
  }

  @Test func `calls arrive in order when a promise comes home`() async throws {
    let (connection, _) = connect()
    try await expectOrder(through: connection)
  }

  @Test func `a promise of the server is called before and after it resolves`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let live = LiveCount()
    let promised = calculator.later { $0.value = .server(ValueServer(7, live)) }
    let value = promised.pipeline.value
    let early = value.read()
    _ = try await promised.results()
    let late = value.read()
    try await calculator.settle().finished()
    #expect(try await early.results { $0.value } == 7)
    #expect(try await late.results { $0.value } == 7)
    #expect(try await value.read().results { $0.value } == 7)
  }

  @Test func `what is not used any more is released, and the tables are empty`() async throws {
    let (connection, other) = connect()
    do {
      let calculator = connection.bootstrap(as: Calculator.Client.self)
      for number in 0..<50 {
        let value = calculator.evaluate { $0.initExpression().literal = Double(number) }
          .pipeline.value
        _ = try await value.plus { $0.other = 1 }.pipeline.value.read().results()
      }
    }
    #expect(await eventually { server.live.value == 0 })
    #expect(await eventually { connection.tableSizes == TableSizes() })
    #expect(await eventually { other.tableSizes == TableSizes() })
  }

  @Test func `cancelling the task that waits cancels the call`() async throws {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let task = Task { try await calculator.wait().results() }
    #expect(await eventually { other.tableSizes.answers == 1 })
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(await eventually { server.cancelled.value == 1 })
    #expect(await eventually { other.tableSizes.answers == 0 })
  }

  @Test func `dropping a call cancels it`() async throws {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    do {
      let call = calculator.wait()
      #expect(await eventually { other.tableSizes.answers == 1 })
      withExtendedLifetime(call) {}
    }
    #expect(await eventually { server.cancelled.value == 1 })
  }

  @Test func `what is put into a call and erased is let go of outside of the connection`()
    async throws
  {
    final class LastWords: Value.PartialServer {
      let connection: RPCConnection
      let said: LiveCount
      init(_ connection: RPCConnection, _ said: LiveCount) {
        self.connection = connection
        self.said = said
      }
      // Waits for ever if the connection is at work.
      deinit { if connection.tableSizes.questions >= 0 { said.add(1) } }
    }
    let connection = InMemoryNetwork.connect(
      server: Capability(Value.Client.server(ValueServer(1, LiveCount())))
    ).client
    let said = LiveCount()
    let call = connection.bootstrapCapability().call(interfaceID: 1, methodID: 1) {
      $0.setCapabilityReference(Capability(Value.Client.server(LastWords(connection, said))))
      $0.setText("")
    }
    #expect(said.value == 1)
    await #expect(throws: RPCError.self) { try await call.results { _ in } }
  }

  @Test func `a disconnect fails what waits and what comes later, and releases objects`()
    async throws
  {
    let (connection, other) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let value = calculator.evaluate { $0.initExpression().literal = 1 }.pipeline.value
    _ = try await value.read().results()
    let waiting = calculator.wait()
    #expect(await eventually { other.tableSizes.answers == 1 })
    other.close()
    let error = await #expect(throws: RPCError.self) { try await waiting.results() }
    #expect(error?.kind == .disconnected)
    let later = await #expect(throws: RPCError.self) { try await value.read().results() }
    #expect(later?.kind == .disconnected)
    #expect(await eventually { server.live.value == 0 })
    #expect(await eventually { server.cancelled.value == 1 })
    #expect(try await connection.closed().kind == .disconnected)
  }

  @Test func `a method that the object lacks is diagnosed in words`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let unknown: RemoteCall<Calculator.SettleResults.Reader, NoPipeline> =
      Capability(calculator).call(Calculator._interface, method: 99) {
        (_: Calculator.SettleParams.Builder) in
      }
    let error = await #expect(throws: RPCError.self) { try await unknown.results() }
    #expect(error?.kind == .unimplemented)
    #expect(
      error?.reason == "calculator.capnp:Calculator has no method @99: it ends at @6, so the "
        + "caller's schema is newer than the object's")
    let scientific = Capability(calculator).cast(to: ScientificCalculator.Client.self)
    let other = await #expect(throws: RPCError.self) {
      try await scientific.sine { $0.x = 1 }.results()
    }
    #expect(other?.kind == .unimplemented)
    #expect(other?.reason.contains("calculator.capnp:Calculator") == true)
  }

  @Test func `the same calls work without a connection`() async throws {
    let calculator = Calculator.Client.server(server)
    let sum = calculator.evaluate { $0.initExpression().literal = 40 }
      .pipeline.value.plus { $0.other = 2 }.pipeline.value.read()
    #expect(try await sum.results { $0.value } == 42)
    #expect(await eventually { server.live.value == 0 })
  }

  @Test(arguments: ["127.0.0.1:0", "unix:"])
  func `the same calls work over a socket`(_ text: String) async throws {
    let path = "/tmp/capnp-rpc-test-\(UInt32.random(in: 0...UInt32.max)).sock"
    let address = try RPCAddress(parsing: text == "unix:" ? text + path : text)
    let listener = try await RPCListener.listen(on: address) { _ in
      Capability(Calculator.Client.server(server))
    }
    let connection = try await RPCConnector.connect(to: listener.address)
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let before = connection.statistics
    let sum = calculator.evaluate { $0.initExpression().literal = 40 }
      .pipeline.value.plus { $0.other = 2 }.pipeline.value.read()
    // All three calls are out before anything came back.
    #expect(connection.statistics.messagesSent >= before.messagesSent + 3)
    #expect(try await sum.results { $0.value } == 42)
    connection.close()
    #expect(await eventually { listener.openConnections.isEmpty })
    await listener.close()
  }

  @Test func `a chain of calls is sent when the connection is uncorked, and not before`()
    async throws
  {
    let (connection, _) = connect()
    connection.cork()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let sum = calculator.evaluate { $0.initExpression().literal = 40 }
      .pipeline.value.plus { $0.other = 2 }.pipeline.value.read()
    #expect(connection.statistics.messagesSent == 0)
    connection.flush()
    #expect(try await sum.results { $0.value } == 42)
    // What the results made this side say is kept back as well.
    #expect(connection.statistics.messagesSent == 4)
    connection.uncork()
    #expect(connection.statistics.messagesSent > 4)
    connection.cork()
    connection.abort("enough")
    #expect(try await connection.closed().reason == "the connection was aborted: enough")
  }

  @Test func `a task can run where its connection does`() async throws {
    let listener = try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0)) { _ in
      Capability(Calculator.Client.server(server))
    }
    let connection = try await RPCConnector.connect(to: listener.address)
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let executor = try #require(connection.taskExecutor)
    let sum = try await withTaskExecutorPreference(executor) {
      var sum = 0.0
      for number in 0..<20 {
        let value = calculator.evaluate { $0.initExpression().literal = Double(number) }
        sum += try await value.pipeline.value.read().results { $0.value }
        // Still there, although the call was waited for.
        unsafe withUnsafeCurrentTask { task in
          unsafe #expect(task?.unownedTaskExecutor == executor.asUnownedTaskExecutor())
        }
      }
      return sum
    }
    #expect(sum == 190)
    #expect(InMemoryNetwork.connect(server: nil).client.taskExecutor == nil)
    connection.close()
    await listener.close()
  }

  @Test func `a port without a listener is an error that says so`() async throws {
    let listener = try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0)) { _ in nil }
    let address = listener.address
    await listener.close()
    let error = await #expect(throws: RPCError.self) {
      try await RPCConnector.connect(to: address)
    }
    #expect(error?.kind == .disconnected)
    #expect(error?.reason.contains("cannot connect to \(address)") == true)
  }
}
