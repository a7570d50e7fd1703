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

/// Waits for another object in each call, and keeps nothing of what it was given.
private final class Forgetful: CapabilityServer {
  private let other = Calculator.Client.server(CalculatorServer())
  let calls = LiveCount()

  var client: Calculator.Client {
    Capability(serving: self, immediately: Calculator._interface) { server, call in
      server.calls.add(1)
      Calculator.UseCall(call).tailCall(server.other.wait())
      return true
    }.cast()
  }
}

/// A callback that is counted while it is there.
private final class CountedCallback: Callback.Server {
  private let live: LiveCount

  init(_ live: LiveCount) {
    self.live = live
    live.add(1)
  }

  func call(_ call: CallCall) async throws {}

  deinit { live.add(-1) }
}

/// A value that ends its calls as told last, of a reply and another call.
private final class Undecided: Value.Server {
  private let other: Value.Client
  private let endsWithReply: Bool

  init(_ other: Value.Client, endsWithReply: Bool) {
    self.other = other
    self.endsWithReply = endsWithReply
  }

  func read(_ call: ReadCall) async throws {
    if endsWithReply { call.tailCall(other.read()) }
    call.reply { $0.value = 1 }
    if !endsWithReply { call.tailCall(other.read()) }
  }

  func plus(_ call: PlusCall) async throws {}
}

@Suite(.timeLimit(.minutes(5))) struct TailCallTests {
  private func connect(_ server: Value.Client) -> Value.Client {
    let relay = Value.Client.server(Relay(server))
    return InMemoryNetwork.connect(server: Capability(relay)).client
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

  @Test func `what is told last ends a call, a reply or another call`() async throws {
    let other = StubbornValue()
    let replying = Undecided(.server(other), endsWithReply: true)
    #expect(try await Value.Client.server(replying).read().results { $0.value } == 1)
    #expect(await eventually { other.cancelled.value == 1 })
    let passing = Undecided(.server(ValueServer(3, LiveCount())), endsWithReply: false)
    #expect(try await Value.Client.server(passing).read().results { $0.value } == 3)
  }

  @Test(arguments: [false, true])
  func `a call that has become another one keeps none of its params`(throughMembrane: Bool)
    async throws
  {
    let callbacks = LiveCount()
    let server = Forgetful()
    var client = server.client
    if throughMembrane { client = Membrane().wrap(client) }
    let call = client.use { $0.callback = .server(CountedCallback(callbacks)) }
    #expect(await eventually { server.calls.value == 1 && callbacks.value == 0 })
    #expect(callbacks.made == 1)
    withExtendedLifetime(call) {}
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
