import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

/// Counts what it is called with, and adds one.
private final class Counter: Callback.Server {
  let calls = LiveCount()

  func call(_ call: CallCall) async throws {
    calls.add(1)
    let number = try call.params.number
    call.reply { $0.number = number + 1 }
  }
}

@Suite(.timeLimit(.minutes(5))) struct MembranePolicyTests {
  private static let evaluate: UInt16 = 0
  private static let use: UInt16 = 3

  /// The calculator behind a membrane, at the other end of a connection.
  private func connect(_ policy: @escaping Membrane.Policy) -> Calculator.Client {
    let wrapped = Membrane(policy: policy).wrap(Calculator.Client.server(CalculatorServer()))
    return InMemoryNetwork.connect(server: Capability(wrapped)).client
      .bootstrap(as: Calculator.Client.self)
  }

  @Test func `a call that the policy refuses fails with its error, and others pass`() async throws {
    let calculator = connect { crossing in
      crossing.interfaceID == Calculator._interface.id && crossing.methodID == Self.use
        ? .refuse(.failed("not today")) : .pass
    }
    let counter = Counter()
    let use = calculator.use {
      $0.callback = .server(counter)
      $0.times = 3
    }
    let error = await #expect(throws: RPCError.self) { try await use.results() }
    #expect(error?.reason.contains("not today") == true)
    #expect(counter.calls.value == 0)
    let value = calculator.evaluate { $0.expression.literal = 4 }.pipeline.value
    #expect(try await value.read().results { $0.value } == 4)
  }

  @Test func `the policy is asked about objects that crossed in params and results too`()
    async throws
  {
    let crossings = Mutex<[(MembraneCrossing.Direction, UInt64)]>([])
    let calculator = connect { crossing in
      crossings.withLock { $0.append((crossing.direction, crossing.interfaceID)) }
      return crossing.direction == .outbound ? .refuse(.failed("nothing goes out")) : .pass
    }
    let counter = Counter()
    let use = calculator.use {
      $0.callback = .server(counter)
      $0.times = 1
    }
    let error = await #expect(throws: RPCError.self) { try await use.results() }
    #expect(error?.reason.contains("nothing goes out") == true)
    #expect(counter.calls.value == 0)
    let value = calculator.evaluate { $0.expression.literal = 4 }.pipeline.value
    #expect(try await value.read().results { $0.value } == 4)
    let asked = crossings.withLock { $0 }
    #expect(asked.map(\.0) == [.inbound, .outbound, .inbound, .inbound])
    #expect(
      asked.map(\.1) == [
        Calculator._interface.id, Callback._interface.id, Calculator._interface.id,
        Value._interface.id,
      ])
  }

  @Test func `a call is led to another object, whose results cross as well`() async throws {
    let other = Calculator.Client.server(CalculatorServer())
    let asked = LiveCount()
    let membrane = Membrane { crossing in
      asked.add(1)
      return crossing.methodID == Self.evaluate && crossing.interfaceID == Calculator._interface.id
        ? .redirect(Capability(other)) : .pass
    }
    let stranger = Calculator.Client(broken: .failed("the wrong one"))
    let value = membrane.wrap(stranger).evaluate { $0.expression.literal = 4 }.pipeline.value
    #expect(try await value.read().results { $0.value } == 4)
    #expect(asked.value == 2)
    membrane.revoke(.disconnected("closed"))
    let error = await #expect(throws: RPCError.self) { try await value.read().results() }
    #expect(error == .disconnected("closed"))
  }

  @Test func `an object of the outside is called by the inside as the policy says`() async throws {
    let membrane = Membrane { $0.direction == .inbound ? .pass : .refuse(.failed("stay inside")) }
    let counter = Counter()
    let outside = Capability(Callback.Client.server(counter))
    let client = membrane.wrap(outside: outside).cast(to: Callback.Client.self)
    let error = await #expect(throws: RPCError.self) { try await client.call().results() }
    #expect(error?.reason.contains("stay inside") == true)
    #expect(counter.calls.value == 0)
    #expect(Capability(membrane.wrap(client)).isIdentical(to: outside))
  }
}
