import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

/// Chains whose length an application or a peer decides: each is walked by a loop.
@Suite(.timeLimit(.minutes(5))) struct ChainTests {
  private static let length = 20_000

  private static func number(_ calls: [Callback.Client]) async throws -> [UInt64] {
    var numbers: [UInt64] = []
    for call in calls {
      numbers.append(try await call.call { $0.number = 3 }.results { $0.number })
    }
    return numbers
  }

  /// Promises, each resolved to the next one, in one order or the other, of which only the first is held.
  private static func chain(_ length: Int, to end: Capability, lastFirst: Bool) -> Capability {
    var promises = (0..<length).map { _ in Capability.promise() }
    let first = promises[0].capability
    if lastFirst {
      var next = end
      while let (promise, resolver) = promises.popLast() {
        resolver.resolve(next)
        next = promise
      }
    } else {
      for index in promises.indices.dropLast() {
        promises[index].resolver.resolve(promises[index + 1].capability)
      }
      promises.last?.resolver.resolve(end)
    }
    return first
  }

  @Test(arguments: [false, true])
  func `a call on a long chain of promises arrives`(lastFirst: Bool) async throws {
    let recorder = Recorder()
    let end = Capability(Callback.Client.server(recorder))
    let first = Self.chain(Self.length, to: end, lastFirst: lastFirst)
    #expect(try await Self.number([first.cast()]) == [6])
    try await first.whenResolved()
    #expect(first.isIdentical(to: end))
    #expect(await recorder.numbers == [3])
  }

  @Test(arguments: [false, true])
  func `a long chain of promises is released without a call`(lastFirst: Bool) {
    let live = LiveCount()
    let value = Capability(Value.Client.server(ValueServer(1, live)))
    _ = Self.chain(10 * Self.length, to: value, lastFirst: lastFirst)
    withExtendedLifetime(value) { #expect(live.value == 1) }
  }

  @Test func `calls on many promises of one chain keep their order`() async throws {
    let recorder = Recorder()
    let promises = (0..<200).map { _ in Capability.promise() }
    var calls: [RemoteCall<Callback.CallResults.Reader, NoPipeline>] = []
    let first = promises[0].capability.cast(to: Callback.Client.self)
    for index in promises.indices {
      calls.append(first.call { $0.number = UInt64(index) })
      if index + 1 < promises.count {
        promises[index].resolver.resolve(promises[index + 1].capability)
      }
    }
    promises.last?.resolver.resolve(Capability(Callback.Client.server(recorder)))
    calls.append(first.call { $0.number = UInt64(promises.count) })
    for call in calls { try await call.finished() }
    #expect(await recorder.numbers == (0...200).map { UInt64($0) })
  }

  @Test func `a call that waited at each promise of a long chain can be cancelled`() async throws {
    let promises = (0..<Self.length).map { _ in Capability.promise() }
    var call: RemoteCall<Callback.CallResults.Reader, NoPipeline>? =
      promises[0].capability.cast(to: Callback.Client.self).call { $0.number = 1 }
    for index in promises.indices.dropLast() {
      promises[index].resolver.resolve(promises[index + 1].capability)
    }
    #expect(call != nil)
    call = nil
    let recorder = Recorder()
    promises.last?.resolver.resolve(Capability(Callback.Client.server(recorder)))
    #expect(try await Self.number([promises[0].capability.cast()]) == [6])
    #expect(await recorder.numbers == [3])
  }

  @Test(arguments: [false, true])
  func `a long chain of pipelined calls ends`(isBroken: Bool) async throws {
    let (promise, resolver) = Capability.promise()
    var value = promise.cast(to: Tally.Client.self)
    for _ in 0..<Self.length { value = value.next().pipeline.tally }
    let last = value.value()
    if isBroken {
      resolver.reject(.failed("no tally"))
      let error = await #expect(throws: RPCError.self) { try await last.results() }
      #expect(error == .failed("no tally"))
    } else {
      resolver.resolve(Capability(Tally.Client.server(CountingServer(0))))
      #expect(try await last.results { $0.value } == UInt64(Self.length))
    }
  }

  @Test func `a long chain of pipelined calls on an object ends`() async throws {
    var tally = Tally.Client.server(CountingServer(0))
    for _ in 0..<Self.length { tally = tally.next().pipeline.tally }
    #expect(try await tally.value().results { $0.value } == UInt64(Self.length))
  }

  @Test(arguments: [false, true])
  func `a long chain of tail calls ends`(isCancelled: Bool) async throws {
    let server = TailServer()
    let counter = Tally.Client.server(server)
    server.next.withLock { $0 = counter }
    defer { server.next.withLock { $0 = nil } }
    server.count.withLock { $0 = Self.length }
    server.ends.withLock { $0 = !isCancelled }
    var call: RemoteCall? = counter.value()
    if isCancelled {
      #expect(await eventually { server.cancelled.value >= 0 && server.reached.value == 1 })
      call = nil
      #expect(await eventually { server.cancelled.value == 1 })
    } else {
      #expect(try await call?.results { $0.value } == 42)
    }
  }

  @Test func `membranes around membranes are bounded`() async throws {
    let recorder = Recorder()
    var wrapped = Callback.Client.server(recorder)
    for count in 1...Self.length {
      wrapped = Membrane().wrap(wrapped)
      if count == CapabilityChain.limit { #expect(try await Self.number([wrapped]) == [6]) }
    }
    let error = await #expect(throws: RPCError.self) { try await Self.number([wrapped]) }
    #expect(error == CapabilityChain.error)
    #expect(Capability(wrapped).isIdentical(to: Capability(wrapped)))
  }

  @Test func `membranes around promises of membranes are bounded`() async throws {
    let recorder = Recorder()
    let links = (0..<Self.length).map { _ in Capability.promise() }
    let outermost = Membrane().wrap(links[0].capability)
    let early = outermost.cast(to: Callback.Client.self).call { $0.number = 1 }
    for index in links.indices.dropLast() {
      links[index].resolver.resolve(Membrane().wrap(links[index + 1].capability))
    }
    links.last?.resolver.resolve(Capability(Callback.Client.server(recorder)))
    await #expect(throws: RPCError.self) { try await early.results() }
    let error = await #expect(throws: RPCError.self) {
      try await Self.number([outermost.cast()])
    }
    #expect(error == CapabilityChain.error)
    await #expect(throws: CapabilityChain.error) { try await outermost.whenResolved() }
  }

  @Test func `promises that resolve to one another at once are broken`() async throws {
    for _ in 0..<500 {
      let promises = (0..<3).map { _ in Capability.promise() }
      let early = promises.map { $0.capability.cast(to: Callback.Client.self).call { _ in } }
      await withTaskGroup { group in
        for (index, promise) in promises.enumerated() {
          group.addTask {
            promise.resolver.resolve(promises[(index + 1) % promises.count].capability)
          }
        }
      }
      for call in early { await #expect(throws: RPCError.self) { try await call.results() } }
      for promise in promises {
        await #expect(throws: RPCError.self) { try await promise.capability.whenResolved() }
      }
    }
  }

  @Test func `a promise that resolves to a wrapper of itself is broken`() async throws {
    let (promise, resolver) = Capability.promise()
    let wrapper = Membrane().wrap(promise)
    resolver.resolve(wrapper)
    let error = await #expect(throws: RPCError.self) { try await Self.number([promise.cast()]) }
    #expect(error == CapabilityChain.error)
    await #expect(throws: CapabilityChain.error) { try await promise.whenResolved() }
  }

  @Test func `a promise that resolves to itself with a descriptor is broken`() async throws {
    let (promise, resolver) = Capability.promise()
    let descriptor = OpenDescriptor(owning: -1, closedBy: { _ in })
    resolver.resolve(Capability(promise, attaching: descriptor))
    await #expect(throws: RPCError.self) { try await Self.number([promise.cast()]) }
    await #expect(throws: RPCError.self) { try await promise.whenResolved() }
  }

  @Test func `what each waiting call holds is released in turn`() async throws {
    // Each promise has a waiting call, whose params hold what resolves the next promise.
    let live = LiveCount()
    var resolver: CapabilityResolver?
    var held: Callback.Client = .server(ResolvingServer(nil, live))
    var calls: [RemoteCall<Calculator.EchoResults.Reader, Calculator.EchoResults.Pipeline>] = []
    for _ in 0..<Self.length {
      let (promise, next) = Capability.promise()
      calls.append(promise.cast(to: Calculator.Client.self).echo { $0.callback = held })
      held = .server(ResolvingServer(next, live))
      resolver = nil
    }
    held = Callback.Client(broken: .failed("none"))
    for call in calls { await #expect(throws: RPCError.self) { try await call.results() } }
    #expect(resolver == nil)
    #expect(await eventually { live.value == 0 })
  }

  @Test func `a peer's long chain of promises is followed`() async throws {
    let recorder = Recorder()
    let ends = InMemoryNetwork.connect(
      server: Capability(Calculator.Client.server(CalculatorServer())))
    let calculator = ends.client.bootstrap(as: Calculator.Client.self)
    let links = (0..<Self.length).map { _ in Capability.promise() }
    let use = calculator.use {
      $0.callback = links[0].capability.cast()
      $0.times = 2
    }
    for index in links.indices.dropLast() {
      links[index].resolver.resolve(links[index + 1].capability)
    }
    links.last?.resolver.resolve(Capability(Callback.Client.server(recorder)))
    #expect(try await use.results { $0.sum } == 2)
    #expect(await recorder.numbers == [0, 1])
  }
}

/// Counts by making one object after the other.
private final class CountingServer: Tally.ImmediateServer {
  private let count: UInt64

  init(_ count: UInt64) { self.count = count }

  func next(_ call: NextCall) throws {
    call.reply { $0.tally = .server(CountingServer(count + 1)) }
  }

  func value(_ call: ValueCall) throws { call.reply { $0.value = count } }
}

/// Passes each call on to itself, so often.
private final class TailServer: Tally.Server {
  let next = Mutex<Tally.Client?>(nil)
  let count = Mutex(0)
  let ends = Mutex(true)
  let cancelled = LiveCount()
  let reached = LiveCount()

  func next(_ call: NextCall) async throws { throw RPCError.failed("not here") }

  func value(_ call: ValueCall) async throws {
    let isLast = count.withLock { count in
      count -= 1
      return count <= 0
    }
    guard isLast else {
      if let next = next.withLock({ $0 }) { call.tailCall(next.value()) }
      return
    }
    if !ends.withLock({ $0 }) {
      reached.add(1)
      let (never, continuation) = AsyncStream<Never>.makeStream()
      for await _ in never {}
      withExtendedLifetime(continuation) {}
      cancelled.add(1)
      throw CancellationError()
    }
    call.reply { $0.value = 42 }
  }
}

/// Breaks a promise when it is released.
private final class ResolvingServer: Callback.Server {
  private let resolver: CapabilityResolver?
  private let live: LiveCount

  init(_ resolver: CapabilityResolver?, _ live: LiveCount) {
    self.resolver = resolver
    self.live = live
    live.add(1)
  }

  deinit { live.add(-1) }

  func call(_ call: CallCall) async throws { call.reply { $0.number = 0 } }
}
