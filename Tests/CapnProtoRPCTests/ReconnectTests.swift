import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

/// A network whose server can be down, and whose connections the tests break.
private final class FlakyNetwork: Sendable {
  private struct State {
    var failures: [RPCError] = []
    var attempts = 0
    var delays: [Duration] = []
    var ends: [(client: RPCConnection, server: RPCConnection)] = []
    var isHeld = false
    var held: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Mutex(State())
  let server = CalculatorServer()
  let recorder = Recorder()
  /// What the server's bootstrap capability is; nil for the recorder.
  let offered: Capability?
  let limits: ConnectionLimits

  init(offered: Capability? = nil, limits: ConnectionLimits = ConnectionLimits()) {
    self.offered = offered
    self.limits = limits
  }

  var attempts: Int { state.withLock { $0.attempts } }
  var delays: [Duration] { state.withLock { $0.delays } }
  var clients: [RPCConnection] { state.withLock { $0.ends.map(\.client) } }

  /// What the next attempts fail with.
  func fail(_ errors: RPCError...) { state.withLock { $0.failures += errors } }

  /// Makes attempts wait, until they are let go.
  func hold() { state.withLock { $0.isHeld = true } }

  func letGo() {
    let held = state.withLock { state in
      state.isHeld = false
      defer { state.held = [] }
      return state.held
    }
    for continuation in held { continuation.resume() }
  }

  /// Breaks the newest connection, from the server's side.
  func breakConnection() { state.withLock { $0.ends.last }?.server.close() }

  func connect() async throws -> RPCConnection {
    let failure = state.withLock { state in
      state.attempts += 1
      return state.failures.isEmpty ? nil : state.failures.removeFirst()
    }
    if let failure { throw failure }
    await withCheckedContinuation { continuation in
      let isHeld = state.withLock { state in
        if state.isHeld { state.held.append(continuation) }
        return state.isHeld
      }
      if !isHeld { continuation.resume() }
    }
    let ends = InMemoryNetwork.connect(
      server: offered ?? Capability(Callback.Client.server(recorder)), limits: limits)
    state.withLock { $0.ends.append(ends) }
    return ends.client
  }

  func client(_ policy: ReconnectPolicy) -> ReconnectingClient {
    ReconnectingClient(
      policy: policy, sleep: { delay in self.state.withLock { $0.delays.append(delay) } },
      connect: { try await self.connect() })
  }
}

/// A policy whose times are not waited for.
private func policy(_ change: (inout ReconnectPolicy) -> Void = { _ in }) -> ReconnectPolicy {
  var policy = ReconnectPolicy()
  policy.attemptTimeout = nil
  change(&policy)
  return policy
}

@Suite(.timeLimit(.minutes(5))) struct ReconnectTests {
  private let network = FlakyNetwork()

  private func call(_ callback: Callback.Client, _ number: UInt64) async throws -> UInt64 {
    try await callback.call { $0.number = number }.results { $0.number }
  }

  @Test func `nothing is connected before the first call`() async throws {
    let client = network.client(policy())
    let callback = client.client(as: Callback.Client.self)
    #expect(client.state == .idle)
    #expect(network.attempts == 0)
    #expect(try await call(callback, 1) == 2)
    #expect(client.state == .connected)
    #expect(network.attempts == 1)
    client.close()
  }

  @Test func `calls after a loss go over a new connection`() async throws {
    let client = network.client(policy())
    let callback = client.client(as: Callback.Client.self)
    for round in 1...5 as ClosedRange<UInt64> {
      #expect(try await call(callback, round) == round * 2)
      let connection = try #require(network.clients.last)
      network.breakConnection()
      _ = try await connection.closed()
    }
    #expect(network.attempts == 5)
    #expect(await network.recorder.numbers == [1, 2, 3, 4, 5])
    client.close()
  }

  @Test func `calls that wait for a connection arrive in order, before later ones`() async throws {
    network.hold()
    let client = network.client(policy())
    let callback = client.client(as: Callback.Client.self)
    var calls: [RemoteCall<Callback.CallResults.Reader, NoPipeline>] = []
    for number in 0..<50 as Range<UInt64> { calls.append(callback.call { $0.number = number }) }
    #expect(await eventually { network.attempts == 1 })
    network.letGo()
    for number in 50..<100 as Range<UInt64> { calls.append(callback.call { $0.number = number }) }
    for call in calls { _ = try await call.results() }
    #expect(await network.recorder.numbers == Array(0..<100))
    client.close()
  }

  @Test func `a call that may have reached the peer is not made again`() async throws {
    let server = CalculatorServer()
    let network = FlakyNetwork(offered: Capability(Calculator.Client.server(server)))
    let client = network.client(policy())
    let calculator = client.client(as: Calculator.Client.self)
    _ = try await calculator.evaluate { $0.initExpression().literal = 1 }.results()
    let waiting = calculator.wait()
    let server0 = try #require(network.clients.first)
    #expect(await eventually { server0.statistics.callsSent == 2 })
    network.breakConnection()
    let error = await #expect(throws: RPCError.self) { try await waiting.results() }
    #expect(error?.kind == .disconnected)
    _ = try await calculator.evaluate { $0.initExpression().literal = 2 }.results()
    #expect(network.attempts == 2)
    #expect(network.clients.last?.statistics.callsSent == 1)
    client.close()
  }

  @Test func `attempts that fail are made again, each after a longer wait`() async throws {
    let down = RPCError.disconnected("down")
    network.fail(down, down, down, down, down)
    let client = network.client(
      policy {
        $0.initialDelay = .seconds(1)
        $0.maximumDelay = .seconds(5)
        $0.jitter = 0
      })
    #expect(try await call(client.client(), 3) == 6)
    #expect(network.attempts == 6)
    #expect(network.delays == [.seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5)])
    client.close()
  }

  @Test func `after the last attempt each call fails with its error, and the capability is broken`()
    async throws
  {
    network.fail(.disconnected("one"), .disconnected("two"), .disconnected("three"))
    let client = network.client(policy { $0.attemptLimit = 3 })
    let callback = client.client(as: Callback.Client.self)
    let broken = Task { try await client.capability.whenBroken() }
    await #expect(throws: RPCError.disconnected("three")) { try await call(callback, 1) }
    await #expect(throws: RPCError.disconnected("three")) { try await call(callback, 1) }
    #expect(try await broken.value == .disconnected("three"))
    #expect(client.state == .closed(.disconnected("three")))
    #expect(network.attempts == 3)
  }

  @Test func `an error that is not worth another attempt ends the client`() async throws {
    network.fail(.failed("wrong password"))
    let client = network.client(policy())
    await #expect(throws: RPCError.failed("wrong password")) { try await call(client.client(), 1) }
    #expect(network.attempts == 1)
  }

  @Test func `a peer that takes connections and closes them costs attempts, not calls`()
    async throws
  {
    let good = FlakyNetwork()
    let count = Mutex(0)
    let client = ReconnectingClient(policy: policy(), sleep: { _ in }) {
      let number = count.withLock { count in
        count += 1
        return count
      }
      if number > 2 { return try await good.connect() }
      let ends = InMemoryNetwork.connect(server: nil)
      ends.server.close()
      return ends.client
    }
    #expect(try await call(client.client(), 4) == 8)
    #expect(count.withLock { $0 } == 3)
    client.close()
  }

  @Test func `calls over the limit that would wait fail as overloaded`() async throws {
    network.hold()
    let client = network.client(policy { $0.queuedCalls = 2 })
    let callback = client.client(as: Callback.Client.self)
    let first = callback.call { $0.number = 1 }
    let second = callback.call { $0.number = 2 }
    let error = await #expect(throws: RPCError.self) { try await call(callback, 3) }
    #expect(error == .overloaded("2 calls wait for the object already"))
    network.letGo()
    #expect(try await first.results { $0.number } == 2)
    #expect(try await second.results { $0.number } == 4)
    #expect(await network.recorder.numbers == [1, 2])
    client.close()
  }

  @Test func `a call that is taken back while it waits makes room and is not made`() async throws {
    network.hold()
    let client = network.client(policy { $0.queuedCalls = 1 })
    let callback = client.client(as: Callback.Client.self)
    let dropped = Task { try await call(callback, 1) }
    #expect(await eventually { network.attempts == 1 })
    dropped.cancel()
    await #expect(throws: CancellationError.self) { try await dropped.value }
    let second = callback.call { $0.number = 2 }
    network.letGo()
    #expect(try await second.results { $0.number } == 4)
    #expect(await network.recorder.numbers == [2])
    client.close()
  }

  @Test func `closing fails what waits and what is in flight, and connects no more`() async throws {
    network.hold()
    let client = network.client(policy())
    let callback = client.client(as: Callback.Client.self)
    let waiting = callback.call { $0.number = 1 }
    #expect(await eventually { network.attempts == 1 })
    client.close()
    let closed = RPCError.disconnected("the client was closed")
    await #expect(throws: closed) { try await waiting.results() }
    await #expect(throws: closed) { try await call(callback, 2) }
    network.letGo()
    // What came about too late is closed.
    #expect(await eventually { network.clients.count == 1 })
    let late = try #require(network.clients.first)
    _ = try await late.closed()
    #expect(network.attempts == 1)
    #expect(await network.recorder.numbers == [])
  }

  @Test func `closing closes the connection that is open`() async throws {
    let client = ReconnectingClient { try await network.connect() }
    #expect(try await call(client.client(), 1) == 2)
    client.close()
    let connection = try #require(network.clients.first)
    #expect(try await connection.closed().kind == .disconnected)
  }

  @Test func `an attempt that takes too long is given up, and its connection closed`()
    async throws
  {
    let (endless, stop) = AsyncStream<Void>.makeStream()
    let client = ReconnectingClient(
      policy: policy {
        $0.attemptTimeout = .seconds(7)
        $0.attemptLimit = 1
      }, sleep: { #expect($0 == .seconds(7)) },
      connect: { try await network.connect() },
      object: { _ in
        // A peer that never gives its object.
        for await _ in endless {}
        throw CancellationError()
      })
    let error = await #expect(throws: RPCError.self) { try await call(client.client(), 1) }
    #expect(error?.reason.contains("within 7.0 seconds") == true, "\(error as Any)")
    for connection in network.clients { _ = try await connection.closed() }
    stop.finish()
  }

  @Test func `an attempt is given up in time although connecting heeds no cancellation`()
    async throws
  {
    network.hold()
    let client = ReconnectingClient(
      policy: policy {
        $0.attemptTimeout = .seconds(7)
        $0.attemptLimit = 1
      }, sleep: { _ in _ = await eventually { network.attempts == 1 } },
      connect: { try await network.connect() })
    let waiting = Task { try await call(client.client(), 1) }
    let limit = Task {
      try await Task.sleep(for: .seconds(20))
      waiting.cancel()
    }
    let error = await #expect(throws: RPCError.self) { try await waiting.value }
    #expect(error?.reason.contains("within 7.0 seconds") == true, "\(error as Any)")
    limit.cancel()
    network.letGo()
    #expect(await eventually { network.clients.count == 1 })
    let late = try #require(network.clients.first)
    #expect(try await late.closed().kind == .disconnected)
  }

  @Test(arguments: [ReconnectPolicy.Trigger.call, .loss])
  func `a server that gives its object and then drops is come back to ever more slowly`(
    _ trigger: ReconnectPolicy.Trigger
  ) async throws {
    let client = network.client(
      policy {
        $0.trigger = trigger
        $0.initialDelay = .seconds(100)
        $0.maximumDelay = .seconds(1000)
        $0.jitter = 0
      })
    let callback = client.client(as: Callback.Client.self)
    for round in 1...7 as ClosedRange<UInt64> {
      #expect(try await call(callback, round) == round * 2)
      let connection = try #require(network.clients.last)
      network.breakConnection()
      _ = try await connection.closed()
      #expect(await eventually { client.state != .connected || network.attempts > round })
    }
    client.close()
    // A wait begins with the loss, so a little of it is over.
    let waits = network.delays.prefix(5)
    let expected: [Duration] = [100, 200, 400, 800, 1000].map { .seconds($0) }
    #expect(waits.count == 5)
    for (wait, whole) in zip(waits, expected) {
      #expect(wait <= whole && wait > whole - .seconds(50), "\(network.delays)")
    }
  }

  @Test func `a connection that lasted is made again at once`() async throws {
    let client = network.client(policy { $0.maximumDelay = .milliseconds(1) })
    let callback = client.client(as: Callback.Client.self)
    for round in 1...5 as ClosedRange<UInt64> {
      #expect(try await call(callback, round) == round * 2)
      try await Task.sleep(for: .milliseconds(5))
      let connection = try #require(network.clients.last)
      network.breakConnection()
      _ = try await connection.closed()
    }
    #expect(network.delays.isEmpty)
    client.close()
  }

  @Test func `the loss of a connection counts although its object is of this process`()
    async throws
  {
    let recorder = network.recorder
    let client = ReconnectingClient(
      policy: policy(), sleep: { _ in }, connect: { try await network.connect() },
      object: { _ in Capability(Callback.Client.server(recorder)) })
    let callback = client.client(as: Callback.Client.self)
    #expect(try await call(callback, 1) == 2)
    network.breakConnection()
    #expect(await eventually { client.state == .idle })
    #expect(try await call(callback, 2) == 4)
    #expect(network.attempts == 2)
    client.close()
  }

  @Test func `a call that waits for a connection has the policy's time for it`() async throws {
    network.hold()
    let client = network.client(policy { $0.callTimeout = .milliseconds(20) })
    let callback = client.client(as: Callback.Client.self)
    let error = await #expect(throws: RPCError.self) { try await call(callback, 1) }
    #expect(error?.isTimeout == true, "\(error as Any)")
    network.letGo()
    #expect(await eventually { client.state == .connected })
    #expect(await network.recorder.numbers == [])
    client.close()
  }

  @Test func `streams keep the limits of the connection`() async throws {
    var limits = ConnectionLimits()
    limits.streams.calls = 3
    let client = FlakyNetwork(limits: limits).client(policy())
    let callback = client.client(as: Callback.Client.self)
    #expect(try await call(callback, 1) == 2)
    #expect(client.capability.target.streamLimits == limits.streams)
    client.close()
  }

  @Test func `a client that reconnects at the loss does so without a call`() async throws {
    let client = network.client(policy { $0.trigger = .loss })
    #expect(try await call(client.client(), 1) == 2)
    network.breakConnection()
    #expect(await eventually { network.attempts == 2 && client.state == .connected })
    #expect(network.delays.count == 1)
    client.close()
  }

  @Test func `the states are told in order`() async throws {
    network.fail(.disconnected("down"))
    let client = network.client(
      policy {
        $0.initialDelay = .seconds(1)
        $0.jitter = 0
      })
    let states = client.states
    #expect(try await call(client.client(), 1) == 2)
    let connection = try #require(network.clients.last)
    network.breakConnection()
    _ = try await connection.closed()
    #expect(await eventually { client.state == .idle })
    client.close()
    var seen: [ReconnectingClient.State] = []
    for await state in states { seen.append(state) }
    #expect(
      seen == [
        .idle, .connecting(attempt: 1),
        .waiting(attempt: 1, error: .disconnected("down"), delay: .seconds(1)),
        .connecting(attempt: 2), .connected, .idle, .closed(.disconnected("the client was closed")),
      ])
  }

  @Test func `a call outlives the client that it was made with`() async throws {
    network.hold()
    let call = network.client(policy()).client(as: Callback.Client.self).call { $0.number = 5 }
    #expect(await eventually { network.attempts == 1 })
    network.letGo()
    #expect(try await call.results { $0.number } == 10)
    // Nobody else could close it.
    let connection = try #require(network.clients.first)
    #expect(await hasEnded(connection))
  }

  @Test func `a client that is let go of lets go of its object, and then of its connection`()
    async throws
  {
    do {
      let client = network.client(policy())
      #expect(try await call(client.client(), 1) == 2)
    }
    let connection = try #require(network.clients.first)
    #expect(await eventually { connection.tableSizes.imports == 0 })
    #expect(await hasEnded(connection))
  }

  private func hasEnded(_ connection: RPCConnection) async -> Bool {
    let closed = Task { try await connection.closed() }
    let limit = Task {
      try await Task.sleep(for: .seconds(20))
      closed.cancel()
    }
    defer { limit.cancel() }
    return (try? await closed.value) != nil
  }

  @Test func `calls of many tasks while the connection keeps breaking end once each`()
    async throws
  {
    let client = network.client(policy())
    let callback = client.client(as: Callback.Client.self)
    let breaking = Task {
      while !Task.isCancelled {
        network.breakConnection()
        try? await Task.sleep(for: .milliseconds(1))
      }
    }
    let arrived = await withTaskGroup(of: [UInt64].self) { group in
      for task in 0..<8 as Range<UInt64> {
        group.addTask {
          var arrived: [UInt64] = []
          for number in 0..<100 as Range<UInt64> {
            let sent = task * 1000 + number
            if (try? await call(callback, sent)) != nil { arrived.append(sent) }
          }
          return arrived
        }
      }
      return await group.reduce(into: [UInt64]()) { $0 += $1 }
    }
    breaking.cancel()
    await breaking.value
    client.close()
    let numbers = await network.recorder.numbers
    // None twice, none lost that was answered, and each task's in order: a call that was lost with its
    // connection may arrive after one of the next.
    #expect(Set(numbers).count == numbers.count)
    #expect(Set(arrived).isSubset(of: numbers))
    let answered = Set(arrived)
    for task in 0..<8 as Range<UInt64> {
      let own = numbers.filter { $0 / 1000 == task && answered.contains($0) }
      #expect(own == own.sorted())
    }
  }
}
