import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A value whose methods are not asynchronous, and that notes where they ran.
private final class QuickValue: Value.ImmediateServer {
  private let number: Double
  let reads = Mutex<[Double]>([])
  let added = Mutex<[Double]>([])
  /// Held by a caller while it makes a call.
  let lock = Mutex(())

  init(_ number: Double) { self.number = number }

  func read(_ call: ReadCall) throws {
    lock.withLock { _ in reads.withLock { $0.append(number) } }
    call.reply { $0.value = number }
  }

  func plus(_ call: PlusCall) throws {
    let other = try call.params.other
    added.withLock { $0.append(other) }
    guard other.isFinite else { throw RPCError.overloaded("too large") }
    call.reply { $0.value = .server(QuickValue(number + other)) }
  }
}

/// Passes its calls on.
private final class QuickRelay: Value.ImmediateServer {
  private let other: Value.Client
  init(_ other: Value.Client) { self.other = other }
  func read(_ call: ReadCall) throws { call.tailCall(other.read()) }
  func plus(_ call: PlusCall) throws {
    let number = try call.params.other
    call.tailCall(other.plus { $0.other = number })
  }
}

/// Takes a stream.
private final class QuickSink: Sink.ImmediateServer {
  private let bytes = Mutex<UInt64>(0)

  func write(_ call: WriteCall) throws {
    let count = UInt64(try call.params.data.count)
    guard count > 0 else { throw RPCError.failed("nothing to write") }
    bytes.withLock { $0 += count }
  }

  func done(_ call: DoneCall) throws {
    let count = bytes.withLock { $0 }
    call.reply { $0.bytes = count }
  }
}

/// Notes what its method sees of the task that it runs in.
private final class TaskWitness: Value.ImmediateServer {
  @TaskLocal static var caller: String?
  let seen = Mutex<[String?]>([])
  let sawCancellation = Mutex(false)

  func read(_ call: ReadCall) throws {
    seen.withLock { $0.append(Self.caller) }
    if Task.isCancelled { sawCancellation.withLock { $0 = true } }
  }
  func plus(_ call: PlusCall) throws {}
}

/// Notes the thread that its method runs on.
private final class ThreadWitness: Value.ImmediateServer {
  static var current: UInt { UInt(pthread_self()) }
  let thread = Mutex<UInt?>(nil)
  func read(_ call: ReadCall) throws { thread.withLock { $0 = Self.current } }
  func plus(_ call: PlusCall) throws {}
}

@Suite(.timeLimit(.minutes(5))) struct ImmediateServerTests {
  /// The value itself, and behind a connection.
  private func clients(_ value: QuickValue) -> [Value.Client] {
    let local = Value.Client.server(value)
    return [local, InMemoryNetwork.connect(server: Capability(local)).client.bootstrap()]
  }

  @Test func `methods that are not asynchronous answer, here and behind a connection`()
    async throws
  {
    for client in clients(QuickValue(3)) {
      #expect(try await client.read().results { $0.value } == 3)
      let sum = client.plus { $0.other = 4 }.pipeline.value.plus { $0.other = 5 }
      #expect(try await sum.pipeline.value.read().results { $0.value } == 12)
    }
  }

  @Test func `what they throw is the call's error`() async throws {
    for client in clients(QuickValue(3)) {
      let error = await #expect(throws: RPCError.self) {
        try await client.plus { $0.other = .infinity }.finished()
      }
      #expect(error == .overloaded("too large"))
    }
  }

  @Test func `a method that the object does not have is unimplemented`() async throws {
    for client in clients(QuickValue(3)) {
      let other = Capability(client).cast(to: Calculator.Client.self)
      let error = await #expect(throws: RPCError.self) { try await other.settle().finished() }
      #expect(error?.kind == .unimplemented)
    }
  }

  @Test func `a call does not run on the stack of its caller`() async throws {
    let value = QuickValue(1)
    let client = Value.Client.server(value)
    // The method would wait for the lock for ever.
    let call = value.lock.withLock { _ in client.read() }
    #expect(try await call.results { $0.value } == 1)
  }

  @Test func `a call that nobody awaits runs all the same`() async throws {
    let value = QuickValue(1)
    let client = Value.Client.server(value)
    let call = client.read()
    #expect(await eventually { value.reads.withLock { $0.count } == 1 })
    _ = consume call
  }

  @Test func `calls that are made before one is awaited run in their order`() async throws {
    let value = QuickValue(2)
    let relayed = Value.Client.server(QuickRelay(.server(value)))
    let calls = (0..<100).map { number in relayed.plus { $0.other = Double(number) } }
    for (number, call) in calls.enumerated().reversed() {
      #expect(try await call.pipeline.value.read().results { $0.value } == Double(number + 2))
    }
    #expect(value.added.withLock { $0 } == (0..<100).map { Double($0) })
  }

  @Test func `who awaits a call runs no other one`() async throws {
    let witness = TaskWitness()
    let client = Value.Client.server(witness)
    try await TaskWitness.$caller.withValue("first") {
      let other = client.read()
      let own = client.read()
      try await own.finished()
      try await other.finished()
    }
    #expect(witness.seen.withLock { $0.first } == .some(nil))
    // Alone, it does not wait for another thread.
    try await TaskWitness.$caller.withValue("second") { try await client.read().finished() }
    #expect(witness.seen.withLock { $0 }.count == 3)
  }

  @Test func `a method does not see that its caller is cancelled`() async throws {
    let witness = TaskWitness()
    let task = Task {
      try? await Task.sleep(for: .seconds(600))
      // Only the caller is cancelled: the call runs elsewhere, or not at all.
      _ = try? await Value.Client.server(witness).read().finished()
    }
    task.cancel()
    await task.value
    #expect(!witness.sawCancellation.withLock { $0 })
  }

  @MainActor @Test func `an actor that awaits a call does not run the method`() async throws {
    let witness = ThreadWitness()
    try await Value.Client.server(witness).read().finished()
    #expect(witness.thread.withLock { $0 != nil && $0 != ThreadWitness.current })
  }

  @Test func `a tail call gives the results of the other object`() async throws {
    let relay = Value.Client.server(QuickRelay(.server(QuickValue(7))))
    let remote: Value.Client = InMemoryNetwork.connect(server: Capability(relay)).client
      .bootstrap()
    for client in [relay, remote] {
      #expect(try await client.read().results { $0.value } == 7)
    }
  }

  @Test func `streams keep their order, and end with their first error`() async throws {
    let sink = Sink.Client.server(QuickSink())
    let remote: Sink.Client = InMemoryNetwork.connect(server: Capability(sink)).client.bootstrap()
    for _ in 0..<50 { try await remote.write { $0.data = [1, 2, 3] } }
    #expect(try await remote.done().results { $0.bytes } == 150)
    let error = await #expect(throws: RPCError.self) {
      try await remote.write { $0.data = [] }
      try await Capability(remote).finishStream()
    }
    #expect(error?.reason == "nothing to write")
  }
}
