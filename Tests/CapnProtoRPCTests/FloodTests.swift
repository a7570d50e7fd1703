import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct FloodTests {
  /// Makes many large calls at once and counts the answers.
  private func flood(_ callback: Sizes.Client) async throws -> Int {
    let bytes = [UInt8](repeating: 7, count: 64 << 10)
    let calls = (0..<400).map { _ in callback.reflect { $0.data = bytes } }
    var count = 0
    for call in calls where try await call.results({ try $0.data.count }) == bytes.count {
      count += 1
    }
    return count
  }

  @Test func `two peers that flood each other both get on`() async throws {
    // More is on its way, in both directions, than any socket holds.
    let path = "/tmp/capnp-rpc-flood-\(UInt32.random(in: 0...UInt32.max)).sock"
    let listener = try await RPCListener.listen(on: .unix(path: path)) { _ in
      Capability(Sizes.Client.server(Mirror()))
    }
    let connection = try await RPCConnector.connect(
      to: listener.address, bootstrap: Capability(Sizes.Client.server(Mirror())))
    let there = connection.bootstrap(as: Sizes.Client.self)
    #expect(await eventually { !listener.openConnections.isEmpty })
    let here = try #require(listener.openConnections.first).bootstrap(as: Sizes.Client.self)
    async let first = flood(there)
    async let second = flood(here)
    #expect(try await first == 400)
    #expect(try await second == 400)
    connection.close()
    await listener.close()
  }

  @Test func `a peer that sends more than may be under way is slowed down and not thrown out`()
    async throws
  {
    var limits = ConnectionLimits()
    // Eight of the calls; as many again wait, and the others are not read.
    limits.wordsInFlight = 64 << 10
    let path = "/tmp/capnp-rpc-flood-\(UInt32.random(in: 0...UInt32.max)).sock"
    let listener = try await RPCListener.listen(
      on: .unix(path: path), limits: limits
    ) { _ in Capability(Sizes.Client.server(SlowMirror())) }
    let connection = try await RPCConnector.connect(to: listener.address)
    #expect(try await flood(connection.bootstrap()) == 400)
    connection.close()
    await listener.close()
  }

  @Test func `in memory too a message over the limit ends the connection in words`() async throws {
    var limits = ConnectionLimits()
    limits.messageWords = 1024
    let (connection, other) = InMemoryNetwork.connect(
      server: Capability(Sizes.Client.server(Mirror())), limits: limits)
    let error = await #expect(throws: RPCError.self) {
      try await connection.bootstrap(as: Sizes.Client.self)
        .reflect { $0.data = [UInt8](repeating: 7, count: 64 << 10) }.results()
    }
    #expect(error?.kind == .disconnected)
    #expect(error?.reason.contains("more than the limit of 1024") == true, "\(error as Any)")
    #expect(other.statistics.limitsReached == [.messageWords: 1])
  }

  @Test func `in memory too a peer is not read while too much of it waits`() async throws {
    var limits = ConnectionLimits()
    limits.wordsInFlight = 64 << 10
    let (connection, other) = InMemoryNetwork.connect(
      server: Capability(Sizes.Client.server(SlowMirror())), limits: limits)
    let most = Task {
      var most = 0
      while !Task.isCancelled {
        most = max(most, other.statistics.wordsHeld)
        try? await Task.sleep(for: .microseconds(100))
      }
      return most
    }
    #expect(try await flood(connection.bootstrap()) == 400)
    most.cancel()
    // As much as the limit, and what was read before the peer was stopped.
    #expect(await most.value <= 2 * limits.wordsInFlight)
  }

  @Test func `in memory too a peer that leaves too much unread is given up`() async throws {
    var limits = ConnectionLimits()
    limits.wordsInFlight = 1 << 10
    limits.unwrittenBytes = 1 << 20
    let hold = Hold()
    let (connection, _) = InMemoryNetwork.connect(
      server: Capability(Sizes.Client.server(HeldMirror(hold))), limits: limits)
    let sizes = connection.bootstrap(as: Sizes.Client.self)
    let calls = (0..<40).map { _ in
      sizes.reflect { $0.data = [UInt8](repeating: 7, count: 64 << 10) }
    }
    #expect(
      try await connection.closed().reason
        == "more than 1048576 bytes wait for the peer to read them")
    #expect(connection.statistics.limitsReached == [.unwrittenBytes: 1])
    await #expect(throws: RPCError.self) { try await calls[0].finished() }
    await hold.open()
  }
}

/// Gives back what it gets.
private final class Mirror: Sizes.Server {
  func reflect(_ call: ReflectCall) async throws {
    try call.reply { try $0.setData(call.params.data.bytes) }
  }
}

/// Answers when the test lets it.
private final class HeldMirror: Sizes.Server {
  private let hold: Hold
  init(_ hold: Hold) { self.hold = hold }
  func reflect(_ call: ReflectCall) async throws { await hold.wait() }
}

/// Gives back what it gets, after a while.
private final class SlowMirror: Sizes.Server {
  func reflect(_ call: ReflectCall) async throws {
    try await Task.sleep(for: .milliseconds(1))
    try call.reply { try $0.setData(call.params.data.bytes) }
  }
}
