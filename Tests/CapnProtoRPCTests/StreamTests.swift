import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct StreamTests {
  func connect(
    _ sink: SinkObject, client: SinkObject? = nil, _ limits: ConnectionLimits = ConnectionLimits()
  ) -> (client: RPCConnection, server: RPCConnection) {
    InMemoryNetwork.connect(
      client: client.map { Capability(Sink.Client.server($0)) },
      server: Capability(Sink.Client.server(sink)), limits: limits)
  }

  private func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 7, count: count) }

  @Test func `an object takes the calls of a stream one at a time, and others after them`()
    async throws
  {
    let object = SinkObject { _ in try await Task.sleep(for: .microseconds(200)) }
    let sink = connect(object).client.bootstrap(as: Sink.Client.self)
    for index in 0..<200 { try await sink.write { $0.data = [UInt8(index)] } }
    #expect(try await sink.done().results { $0.bytes } == 200)
    #expect(object.first == (0..<200).map { UInt8($0) })
    #expect(object.mostAtOnce == 1)
  }

  @Test func `a writer waits while the window is full`() async throws {
    let hold = Hold()
    let object = SinkObject { _ in await hold.wait() }
    let (connection, _) = connect(object)
    let sink = connection.bootstrap(as: Sink.Client.self)
    let written = Mutex(0)
    let writing = Task {
      for _ in 0..<100 {
        try await sink.write { $0.data = bytes(16 << 10) }
        written.withLock { $0 += 1 }
      }
    }
    // Four fill the window of 64 KiB; as one may be longer than it, a fifth may go.
    #expect(await eventually { written.withLock { $0 } == 4 })
    try await Task.sleep(for: .milliseconds(50))
    #expect(written.withLock { $0 } == 4)
    #expect(connection.tableSizes.questions <= 6)
    await hold.open()
    try await writing.value
    #expect(try await sink.done().results { $0.bytes } == 100 * 16 << 10)
  }

  @Test(arguments: ["membrane", "promise", "promise that is known later"])
  func `a stream by way of something else keeps to the limits of its connection`(_ way: String)
    async throws
  {
    let hold = Hold()
    let object = SinkObject { _ in await hold.wait() }
    var limits = ConnectionLimits()
    limits.streams.calls = 3
    let connection = connect(object, limits).client
    let remote = connection.bootstrap(as: Sink.Client.self)
    let (promise, resolver) = Capability.promise()
    let sink: Sink.Client = way == "membrane" ? Membrane().wrap(remote) : promise.cast()
    if way == "promise" { resolver.resolve(Capability(remote)) }
    let written = Mutex(0)
    let writing = Task {
      for _ in 0..<20 {
        try await sink.write { $0.data = [1] }
        if written.withLock({
          $0 += 1
          return $0 == 1
        }), way == "promise that is known later" {
          resolver.resolve(Capability(remote))
        }
      }
    }
    // The third one waits, as it is on its way with two others.
    #expect(await eventually { written.withLock { $0 } == 2 })
    try await Task.sleep(for: .milliseconds(50))
    #expect(written.withLock { $0 } == 2)
    await hold.open()
    try await writing.value
    try await Capability(sink).finishStream()
    #expect(object.bytes == 20)
  }

  @Test func `a write that is longer than the window goes at once`() async throws {
    let object = SinkObject()
    let sink = connect(object).client.bootstrap(as: Sink.Client.self)
    for _ in 0..<4 { try await sink.write { $0.data = bytes(1 << 20) } }
    try await Capability(sink).finishStream()
    #expect(object.bytes == 4 << 20)
  }

  @Test func `a call that fails ends the stream`() async throws {
    let object = SinkObject { if $0 == 2 { throw RPCError.failed("the disk is full") } }
    let sink = connect(object).client.bootstrap(as: Sink.Client.self)
    let full = RPCError.failed("the disk is full")
    await #expect(throws: full) {
      for _ in 0..<100 {
        try await sink.write { $0.data = bytes(32 << 10) }
      }
    }
    await #expect(throws: full) { try await sink.write { $0.data = [1] } }
    await #expect(throws: full) { try await Capability(sink).finishStream() }
    // The object says so too: what was written after the gap was not taken.
    await #expect(throws: full) { try await sink.done().results() }
    #expect(object.first.count == 2)
  }

  @Test func `the end of a stream waits for all of it`() async throws {
    let object = SinkObject { _ in try await Task.sleep(for: .milliseconds(1)) }
    let sink = connect(object).client.bootstrap(as: Sink.Client.self)
    for _ in 0..<20 { try await sink.write { $0.data = [1] } }
    try await Capability(sink).finishStream()
    #expect(object.first.count == 20)
  }

  @Test func `what was written arrives although the reference is dropped`() async throws {
    let hold = Hold()
    let object = SinkObject { _ in await hold.wait() }
    let (connection, other) = connect(object)
    func write() async throws {
      let sink = connection.bootstrap(as: Sink.Client.self)
      for _ in 0..<3 { try await sink.write { $0.data = [1] } }
    }
    try await write()
    #expect(await eventually { other.tableSizes.answers >= 3 })
    await hold.open()
    #expect(await eventually { object.first.count == 3 })
    #expect(await eventually { connection.tableSizes == TableSizes() })
    #expect(object.cancelled == 0)
  }

  @Test func `a writer that is cancelled while it waits leaves the stream whole`() async throws {
    let hold = Hold()
    let object = SinkObject { _ in await hold.wait() }
    let sink = connect(object).client.bootstrap(as: Sink.Client.self)
    let writing = Task {
      while true { try await sink.write { $0.data = bytes(64 << 10) } }
    }
    try await Task.sleep(for: .milliseconds(50))
    writing.cancel()
    await #expect(throws: CancellationError.self) { try await writing.value }
    await hold.open()
    try await sink.write { $0.data = [1] }
    try await Capability(sink).finishStream()
    #expect(object.cancelled == 0)
    #expect(object.first.count >= 2)
  }

  @Test func `the end of the connection ends the stream`() async throws {
    let hold = Hold()
    let (connection, _) = connect(SinkObject { _ in await hold.wait() })
    let sink = connection.bootstrap(as: Sink.Client.self)
    let writing = Task {
      while true { try await sink.write { $0.data = bytes(64 << 10) } }
    }
    try await Task.sleep(for: .milliseconds(20))
    connection.close()
    let error = await #expect(throws: RPCError.self) { try await writing.value }
    #expect(error?.kind == .disconnected)
    await hold.open()
  }

  @Test func `peers that stream into each other both get on`() async throws {
    var limits = ConnectionLimits()
    limits.streams.initialBytes = 4 << 10
    let (here, there) = (SinkObject(), SinkObject())
    let (client, server) = connect(there, client: here, limits)
    func stream(_ sink: Sink.Client) async throws -> UInt64 {
      for _ in 0..<300 { try await sink.write { $0.data = bytes(8 << 10) } }
      return try await sink.done().results { $0.bytes }
    }
    async let first = stream(client.bootstrap())
    async let second = stream(server.bootstrap())
    #expect(try await first == 300 * 8 << 10)
    #expect(try await second == 300 * 8 << 10)
  }

  @Test func `a call of a stream that its caller takes back is no end of it`() async throws {
    let hold = Hold()
    let object = SinkObject { if $0 == 0 { try await hold.cancelled() } }
    let (connection, other) = connect(object)
    let sink = connection.bootstrap(as: Sink.Client.self)
    // Called as any other method, whose call can be dropped.
    func drop() async {
      let call = Capability(sink).call(interfaceID: Sink._typeID, methodID: 0) { _ in }
      #expect(await eventually { other.tableSizes.answers >= 1 && object.started == 1 })
      withExtendedLifetime(call) {}
    }
    await drop()
    try await sink.write { $0.data = [1] }
    #expect(try await sink.done().results { $0.bytes } == 1)
    #expect(object.cancelled == 1)
  }

  @Test func `a call that waits behind a stream is taken back where it waits`() async throws {
    let hold = Hold()
    let object = SinkObject { _ in await hold.wait() }
    let (connection, other) = connect(object)
    let sink = connection.bootstrap(as: Sink.Client.self)
    try await sink.write { $0.data = [1] }
    let waiting = Task { try await sink.done().results { $0.bytes } }
    #expect(await eventually { other.tableSizes.answers >= 2 })
    waiting.cancel()
    await #expect(throws: CancellationError.self) { _ = try await waiting.value }
    // It is answered although the stream has not gone on.
    #expect(await eventually { other.tableSizes.answers == 1 })
    await hold.open()
    try await Capability(sink).finishStream()
  }

  @Test func `an object of this process is streamed into as well`() async throws {
    let object = SinkObject { _ in try await Task.sleep(for: .microseconds(100)) }
    let sink = Sink.Client.server(object)
    for index in 0..<100 { try await sink.write { $0.data = [UInt8(index)] } }
    #expect(try await sink.done().results { $0.bytes } == 100)
    #expect(object.first == (0..<100).map { UInt8($0) })
    #expect(object.mostAtOnce == 1)
  }
}

/// Keeps what is written.
final class SinkObject: Sink.Server {
  private struct State {
    var first: [UInt8] = []
    var bytes = 0
    var running = 0
    var mostAtOnce = 0
    var started = 0
    var cancelled = 0
  }
  private let state = Mutex(State())
  private let whileWriting: @Sendable (_ index: Int) async throws -> Void

  init(_ whileWriting: @escaping @Sendable (_ index: Int) async throws -> Void = { _ in }) {
    self.whileWriting = whileWriting
  }

  /// The first byte of each write.
  var first: [UInt8] { state.withLock { $0.first } }
  var bytes: Int { state.withLock { $0.bytes } }
  var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }
  var started: Int { state.withLock { $0.started } }
  var cancelled: Int { state.withLock { $0.cancelled } }

  func write(_ call: WriteCall) async throws {
    let index = state.withLock { state in
      state.running += 1
      state.started += 1
      state.mostAtOnce = max(state.mostAtOnce, state.running)
      return state.started - 1
    }
    defer {
      state.withLock { state in
        state.running -= 1
        if Task.isCancelled { state.cancelled += 1 }
      }
    }
    try await whileWriting(index)
    let data = try call.params.data.array
    state.withLock { state in
      if let first = data.first { state.first.append(first) }
      state.bytes += data.count
    }
  }

  func done(_ call: DoneCall) async throws { call.reply { $0.bytes = UInt64(bytes) } }
}

/// Where handlers wait until a test lets them go on.
actor Hold {
  private var isOpen = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func wait() async {
    if !isOpen { await withCheckedContinuation { waiting.append($0) } }
  }

  func open() {
    isOpen = true
    for continuation in waiting { continuation.resume() }
    waiting = []
  }

  /// Until the task is cancelled.
  nonisolated func cancelled() async throws { try await Task.sleep(for: .seconds(600)) }
}
