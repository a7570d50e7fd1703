import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import InMemoryLogging
import Logging
import Testing

@Suite(.timeLimit(.minutes(5))) struct LoggingTests {
  @Test func `a client that reconnects tells why it has no connection`() async throws {
    var handler = InMemoryLogHandler()
    handler.logLevel = .info
    let logger = Logger(label: "test") { [handler] _ in handler }
    var policy = ReconnectPolicy()
    policy.initialDelay = .milliseconds(1)
    policy.attemptLimit = 2
    let client = ReconnectingClient(policy: policy, logger: logger) {
      throw RPCError.disconnected("nobody\nis there")
    }
    _ = try? await client.client(as: Value.Client.self).read().results { $0.value }
    #expect(await eventually { handler.entries.count == 2 })
    #expect(
      handler.entries.map { "\($0.message)" } == [
        "cannot connect", "no more connections are made",
      ])
    #expect(handler.entries.map { "\($0.metadata["attempt"] ?? "")" } == ["1", ""])
    for entry in handler.entries {
      #expect("\(entry.metadata["reason"] ?? "")" == #"nobody\nis there"#)
    }
  }

  @Test func `what a peer says cannot fill a log, nor pass for other lines`() async throws {
    var handler = InMemoryLogHandler()
    handler.logLevel = .trace
    let logger = Logger(label: "test") { [handler] _ in handler }
    let listener = try await RPCListener.listen(
      on: .tcp(host: "127.0.0.1", port: 0), logger: logger
    ) { _ in nil }
    let connection = try await RPCConnector.connect(to: listener.address)
    connection.abort("first\nsecond \u{1b}[2J" + String(repeating: "x", count: 100_000))
    #expect(await eventually { !handler.entries.isEmpty })
    let entry = try #require(handler.entries.first)
    #expect(entry.message == "connection closed")
    #expect(entry.level == .debug)
    let reason = "\(entry.metadata["reason"] ?? "")"
    #expect(
      reason.hasPrefix(#"the peer aborted the connection: first\nsecond \u{1b}[2Jxxx"#),
      "\(reason)")
    #expect(reason.utf8.count < 250)
    await listener.close()
  }
}
