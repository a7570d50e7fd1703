import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct StatusTests {
  private let live = LiveCount()

  private func connect() -> (client: RPCConnection, server: RPCConnection) {
    InMemoryNetwork.connect(
      server: Capability(Calculator.Client.server(CalculatorServer(live: live))))
  }

  @Test func `a promise is resolved once it is an object`() async throws {
    let (promise, resolver) = Capability.promise()
    let waiting = Task { try await promise.whenResolved() }
    try await Task.sleep(for: .milliseconds(20))
    resolver.resolve(Capability(Value.Client.server(ValueServer(1, live))))
    try await waiting.value
    // And for whoever asks later.
    try await promise.whenResolved()
  }

  @Test func `a promise of the peer is resolved when the peer says so`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    try await Capability(calculator).whenResolved()
    let results = try await calculator.later { $0.value = .server(ValueServer(7, live)) }.results()
    let promise = Capability(try #require(try results.reader.value))
    let isResolved = LiveCount()
    let waiting = Task {
      try await promise.whenResolved()
      isResolved.add(1)
    }
    try await Task.sleep(for: .milliseconds(20))
    #expect(isResolved.value == 0)
    try await calculator.settle().finished()
    try await waiting.value
    connection.close()
  }

  @Test func `a promise that breaks says why`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let results = try await calculator.later { $0.value = .server(ValueServer(7, live)) }.results()
    let promise = Capability(try #require(try results.reader.value))
    let waiting = Task { try await promise.whenResolved() }
    try await Task.sleep(for: .milliseconds(20))
    connection.close()
    let error = await #expect(throws: RPCError.self) { try await waiting.value }
    #expect(error?.kind == .disconnected)
    #expect(try await promise.whenBroken().kind == .disconnected)
  }

  @Test func `a capability of the peer breaks with the connection`() async throws {
    let (connection, _) = connect()
    let calculator = Capability(connection.bootstrap(as: Calculator.Client.self))
    try await calculator.whenResolved()
    let waiting = Task { try await calculator.whenBroken() }
    try await Task.sleep(for: .milliseconds(20))
    connection.close()
    #expect(try await waiting.value.kind == .disconnected)
  }

  @Test func `what a membrane wraps breaks when it is closed`() async throws {
    let membrane = Membrane()
    let wrapped = membrane.wrap(Capability(Value.Client.server(ValueServer(1, live))))
    try await wrapped.whenResolved()
    let waiting = Task { try await wrapped.whenBroken() }
    try await Task.sleep(for: .milliseconds(20))
    membrane.revoke(.disconnected("over"))
    #expect(try await waiting.value == .disconnected("over"))
  }

  @Test func `who waits for a status can be cancelled`() async throws {
    let (connection, _) = connect()
    let calculator = Capability(connection.bootstrap(as: Calculator.Client.self))
    let local = Capability(Value.Client.server(ValueServer(1, live)))
    // It is kept by its resolver.
    let (promise, resolver) = Capability.promise()
    for capability in [calculator, local, promise] {
      let waiting = Task { _ = try await capability.whenBroken() }
      waiting.cancel()
      await #expect(throws: CancellationError.self) { try await waiting.value }
    }
    let waiting = Task { try await promise.whenResolved() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    resolver.resolve(local)
    connection.close()
  }

  @Test func `a capability that comes home is the one that was sent`() async throws {
    let (connection, _) = connect()
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let sent = Callback.Client.server(Recorder())
    let results = try await calculator.echo { $0.callback = sent }.results()
    let back = try #require(try results.reader.callback)
    #expect(Capability(back).isIdentical(to: Capability(sent)))
    #expect(!Capability(back).isIdentical(to: Capability(calculator)))
    let other = Callback.Client.server(Recorder())
    #expect(!Capability(back).isIdentical(to: Capability(other)))
    connection.close()
  }

  @Test func `a promise is the object that it has become`() async throws {
    let (promise, resolver) = Capability.promise()
    let object = Capability(Value.Client.server(ValueServer(1, live)))
    #expect(promise.isIdentical(to: promise))
    #expect(!promise.isIdentical(to: object))
    resolver.resolve(object)
    #expect(promise.isIdentical(to: object))
  }

  @Test func `two references to one object of the peer are identical`() async throws {
    let (connection, _) = connect()
    let first = Capability(connection.bootstrap(as: Calculator.Client.self))
    let second = Capability(connection.bootstrap(as: Calculator.Client.self))
    try await first.whenResolved()
    try await second.whenResolved()
    #expect(first.isIdentical(to: second))
    connection.close()
  }
}
