import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTLS
import CapnProtoTesting
import CapnProtoWebSocket
import NIOCore
import SwiftASN1
import Testing
import X509

@testable import CapnProtoNIO

struct SilenceClockTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  @Test func `a peer is asked after a while, again after another one, and then given up`() {
    var clock = SilenceClock(pingAfter: .seconds(10), limit: .seconds(25), now: start)
    #expect(clock.action(at: start) == .wait(start + .seconds(10)))
    #expect(clock.action(at: start + .seconds(9)) == .wait(start + .seconds(10)))
    #expect(clock.action(at: start + .seconds(10)) == .ping(start + .seconds(20)))
    #expect(clock.action(at: start + .seconds(11)) == .wait(start + .seconds(20)))
    #expect(clock.action(at: start + .seconds(20)) == .ping(start + .seconds(25)))
    #expect(clock.action(at: start + .seconds(25)) == .end)
  }

  @Test func `a sign of life starts it over`() {
    var clock = SilenceClock(pingAfter: .seconds(10), limit: .seconds(25), now: start)
    #expect(clock.action(at: start + .seconds(10)) == .ping(start + .seconds(20)))
    clock.heard(at: start + .seconds(12))
    #expect(clock.action(at: start + .seconds(20)) == .wait(start + .seconds(22)))
    #expect(clock.action(at: start + .seconds(22)) == .ping(start + .seconds(32)))
    #expect(clock.action(at: start + .seconds(36)) == .ping(start + .seconds(37)))
    #expect(clock.action(at: start + .seconds(37)) == .end)
  }

  @Test func `without pings a peer is only given up, and without a limit it never is`() {
    var strict = SilenceClock(pingAfter: nil, limit: .seconds(5), now: start)
    #expect(strict.action(at: start) == .wait(start + .seconds(5)))
    #expect(strict.action(at: start + .seconds(5)) == .end)
    var patient = SilenceClock(pingAfter: .seconds(5), limit: nil, now: start)
    for asked in 1...100 as ClosedRange<Int64> {
      #expect(
        patient.action(at: start + .seconds(asked * 5)) == .ping(start + .seconds(asked * 5 + 5)))
    }
  }

  @Test(arguments: [Duration.zero, .seconds(-5), .seconds(Int64.max)])
  func `absurd times neither trap nor ask for ever`(_ time: Duration) {
    var clock = SilenceClock(pingAfter: time, limit: time, now: start)
    switch clock.action(at: start) {
    case .wait(let next), .ping(let next): #expect(next > start)
    case .end: Issue.record("given up at once")
    }
  }
}

@Suite(.timeLimit(.minutes(5))) struct KeepAliveTests {
  private let server = ProbeServer()

  private func listen(
    _ limits: ConnectionLimits = ConnectionLimits(),
    _ note: @escaping @Sendable (IncomingConnection) -> Void = { _ in }
  ) async throws -> RPCListener {
    let server = server
    return try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0), limits: limits) {
      note($0)
      return Capability(Probe.Client.server(server))
    }
  }

  private func limits(_ pingAfter: Duration?, _ silence: Duration?) -> ConnectionLimits {
    var limits = ConnectionLimits()
    limits.pingAfter = pingAfter
    limits.silence = silence
    return limits
  }

  /// Waits until the peer has answered so many pings.
  private func answered(_ connection: RPCConnection, _ count: Int) async -> Bool {
    let before = connection.statistics.messagesReceived
    return await eventually { connection.statistics.messagesReceived >= before + count }
  }

  @Test func `a peer that is idle and alive answers pings, which nothing comes of`() async throws {
    let listener = try await listen()
    let connection = try await RPCConnector.connect(
      to: listener.address, limits: limits(.milliseconds(5), .seconds(60)))
    #expect(try await connection.echo(1) == 1)
    let held = connection.bootstrap(as: Probe.Client.self).hold()
    #expect(await answered(connection, 5))
    server.letGo()
    #expect(try await held.results { $0.number } == 1)
    #expect(try await connection.echo(2) == 2)
    #expect(connection.statistics.limitsReached.isEmpty)
    connection.close()
    await listener.close()
  }

  @Test func `pings go through TLS and WebSocket`() async throws {
    let authority = try TestAuthority("Test Authority")
    let identity = try authority.issue([
      .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1]))
    ]).identity
    let listener = try await RPCListener.listen(
      on: WebSocketAddress(host: "127.0.0.1", port: 0, isSecure: true),
      security: .tls(identity: identity)
    ) { [server] _ in Capability(Probe.Client.server(server)) }
    guard case .tcp(let host, let port) = listener.address else { return }
    let connection = try await RPCConnector.connect(
      to: WebSocketAddress(host: host, port: port, isSecure: true),
      security: .tls(trusting: authority.trust), limits: limits(.milliseconds(5), .seconds(60)))
    #expect(await answered(connection, 3))
    #expect(try await connection.echo(2) == 2)
    await listener.close()
  }

  @Test func `a peer is asked with a message that rpc.capnp has given up`() async throws {
    let listener = try await listen(limits(.milliseconds(5), nil))
    let silent = try await RawPeer.connect(to: listener.address)
    #expect(await eventually { silent.received.count >= 64 })
    let first = Array(silent.received.prefix(32))
    let message = try MessageReader(flat: first)
    guard case .obsoleteSave = try message.root(as: CapTP.Message.Reader.self).which else {
      Issue.record("asked with \(first)")
      return
    }
    #expect(Array(silent.received.dropFirst(32).prefix(32)) == first)
    await silent.close()
    await listener.close()
  }

  @Test func `a peer that answers nothing is given up, at either end`() async throws {
    let (seen, found) = AsyncStream<RPCConnection>.makeStream()
    let listener = try await listen(limits(.milliseconds(20), .milliseconds(100))) {
      found.yield($0.connection)
    }
    let silent = try await RawPeer.connect(to: listener.address)
    var connections = seen.makeAsyncIterator()
    let connection = try #require(await connections.next())
    let end = try await connection.closed()
    #expect(
      end == .disconnected("nothing has come from the peer for too long (silence)"))
    #expect(connection.statistics.limitsReached == [.silence: 1])
    _ = try await silent.everything()
    await listener.close()

    let (channel, address) = try await RawPeer.listen(answering: nil)
    let client = try await RPCConnector.connect(
      to: address, limits: limits(nil, .milliseconds(100)))
    let error = await #expect(throws: RPCError.self) { try await client.echo(1) }
    #expect(error == .disconnected("nothing has come from the peer for too long (silence)"))
    try await channel.close()
  }

  @Test func `a peer is not given up for its silence unless that is limited`() async throws {
    let listener = try await listen()
    let silent = try await RawPeer.connect(to: listener.address)
    #expect(await eventually { listener.openConnections.count == 1 })
    // Long against the other tests' limits.
    try await Task.sleep(for: .milliseconds(300))
    #expect(listener.openConnections.count == 1)
    #expect(silent.received.isEmpty)
    await silent.close()
    await listener.close()
  }

  @Test func `a peer that this side does not read is not given up for that`() async throws {
    var limits = limits(.milliseconds(50), .seconds(1))
    limits.wordsInFlight = 4
    let listener = try await listen(limits)
    let connection = try await RPCConnector.connect(to: listener.address)
    let probe = connection.bootstrap(as: Probe.Client.self)
    let calls = (0..<50).map { _ in probe.hold() }
    #expect(await eventually { server.heldCount > 0 })
    let incoming = try #require(listener.openConnections.first)
    #expect(await eventually { incoming.statistics.wordsHeld > 0 })
    try await Task.sleep(for: .milliseconds(2500))
    server.letGo()
    for call in calls { #expect(try await call.results { $0.number } == 1) }
    await listener.close()
  }
}
