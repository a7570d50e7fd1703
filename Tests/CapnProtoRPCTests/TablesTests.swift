import CapnProtoRPC
import CapnProtoTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct TablesTests {
  private let names = InterfaceNames(Calculator.Client.self, Value.Client.self)

  @Test func `a call that hangs is found at both ends, with its name and age`() async throws {
    let (client, server) = InMemoryNetwork.connect(
      server: Capability(Calculator.Client.server(CalculatorServer())))
    let calculator = client.bootstrap(as: Calculator.Client.self)
    let call = calculator.wait()
    #expect(await eventually { server.tableSizes.answers == 1 })
    try await Task.sleep(for: .milliseconds(5))
    let question = try #require(client.tables.entries(in: .questions).last)
    #expect(
      question.method == CalledMethod(interfaceID: Calculator.Client._interface.id, methodID: 2))
    #expect(question.state == "waits for the Return")
    #expect(question.age ?? .zero >= .milliseconds(5))
    let answer = try #require(server.tables.entries(in: .answers).first)
    #expect(answer.method == question.method)
    #expect(answer.state == "runs")
    #expect(answer.age ?? .zero >= .milliseconds(5))
    #expect(
      server.tables.entries(in: .exports).map(\.state) == ["calculator.capnp:Calculator, held 1x"])
    #expect(await eventually { client.tables.entries(in: .imports).count == 1 })
    let text = client.tables.text(names: names)
    #expect(text.contains("questions (1)\n"), "\(text)")
    #expect(text.contains(" calculator.capnp:Calculator.wait for "), "\(text)")
    withExtendedLifetime(call) {}
  }

  @Test func `calls on a promise are said to wait for it`() async throws {
    let (client, server) = InMemoryNetwork.connect(
      server: Capability(Calculator.Client.server(CalculatorServer())))
    let waiting = client.bootstrapCapability().call(
      interfaceID: Calculator.Client._interface.id, methodID: 2
    ) { _ in }
    let pipelined = waiting.pipeline.pointer(0).capability.cast(to: Value.Client.self).read()
    #expect(await eventually { server.tables.entries(in: .heldCalls).count == 1 })
    let held = try #require(server.tables.entries(in: .heldCalls).first)
    #expect(held.state.hasSuffix(", waits for a result of answer 1"), "\(held.state)")
    #expect(held.method?.interfaceID == Value.Client._interface.id)
    let states = server.tables.entries(in: .answers).map(\.state)
    #expect(states.contains("runs, 1 of its results are called already"), "\(states)")
    withExtendedLifetime(pipelined) {}
  }

  @Test func `messages that a cork keeps back are counted`() {
    let connection = InMemoryNetwork.connect(server: nil).client
    connection.cork()
    let object = connection.bootstrapCapability()
    #expect(connection.tables.corkedMessages == 1)
    #expect(connection.tables.description.contains("1 messages are kept back by a cork"))
    withExtendedLifetime(object) {}
  }

  @Test func `tables without rows are said to be empty`() async {
    let connection = InMemoryNetwork.connect(server: nil).client
    #expect(connection.tables.description == "all tables are empty")
    connection.close()
    #expect(connection.tables.description == "all tables are empty")
  }
}
