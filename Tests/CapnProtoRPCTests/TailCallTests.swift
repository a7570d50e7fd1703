import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Testing

/// Passes its calls on to another value.
private final class Relay: Value.Server {
  private let other: Value.Client

  init(_ other: Value.Client) { self.other = other }

  func read(_ call: ReadCall) async throws { call.tailCall(other.read()) }

  func plus(_ call: PlusCall) async throws {
    let number = try call.params.other
    call.reply { $0.value = nil }
    call.tailCall(other.plus { $0.other = number })
  }
}

/// A value that fails, or is never read.
private final class StubbornValue: Value.Server {
  let cancelled = LiveCount()

  func read(_ call: ReadCall) async throws {
    do {
      try await Task.sleep(for: .seconds(600))
    } catch {
      cancelled.add(1)
      throw error
    }
  }

  func plus(_ call: PlusCall) async throws { throw RPCError.overloaded("no more") }
}

@Suite(.timeLimit(.minutes(5))) struct TailCallTests {
  private func connect(_ server: Value.Client) -> Value.Client {
    let relay = Value.Client.server(Relay(server))
    return InMemoryNetwork.connect(server: relay._capability).client
      .bootstrap(as: Value.Client.self)
  }

  @Test func `a tail call gives its results, and what is pipelined on them`() async throws {
    let live = LiveCount()
    let value = connect(.server(ValueServer(3, live)))
    #expect(try await value.read().results { $0.value } == 3)
    let sum = value.plus { $0.other = 4 }.pipeline.value.plus { $0.other = 5 }
    #expect(try await sum.pipeline.value.read().results { $0.value } == 12)
  }

  @Test func `a tail call gives its error`() async throws {
    let value = connect(.server(StubbornValue()))
    let error = await #expect(throws: RPCError.self) { try await value.plus().results() }
    #expect(error == .overloaded("no more"))
  }

  @Test func `a tail call is cancelled with the call that became it`() async throws {
    let stubborn = StubbornValue()
    let value = connect(.server(stubborn))
    let waiting = Task { try await value.read().results() }
    try await Task.sleep(for: .milliseconds(20))
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(await eventually { stubborn.cancelled.value == 1 })
  }
}
