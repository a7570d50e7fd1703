import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import InMemoryLogging
import Logging
import Testing

private struct SecretError: Error, CustomStringConvertible {
  var description: String { "cannot open /etc/shadow\u{1b}[2J" }
}

private struct VisibleError: PeerVisibleError {
  var rpcError: RPCError { .overloaded("try again later") }
}

/// Throws the error that it is made with.
private final class Thrower: Value.Server {
  private let error: any Error
  init(_ error: any Error) { self.error = error }

  func read(_ call: ReadCall) async throws { throw error }
  func plus(_ call: PlusCall) async throws { throw error }
}

/// What a caller sees of an error that a method throws.
@Suite(.timeLimit(.minutes(5))) struct HandlerErrorTests {
  private func thrown(_ error: any Error, _ logger: Logger) async throws -> RPCError? {
    let listener = try await RPCListener.listen(
      on: .tcp(host: "127.0.0.1", port: 0), logger: logger
    ) { _ in Capability(Value.Client.server(Thrower(error))) }
    let seen = try await withRPCConnection(to: listener.address) { connection in
      await #expect(throws: RPCError.self) {
        try await connection.bootstrap(as: Value.Client.self).read().finished()
      }
    }
    await listener.close()
    return seen
  }

  @Test func `an error reaches the caller as a number, and the log as a whole`() async throws {
    let handler = InMemoryLogHandler()
    let error = try await thrown(SecretError(), Logger(label: "test") { [handler] _ in handler })
    let reason = try #require(error?.reason)
    #expect(error?.kind == .failed)
    #expect(!reason.contains("shadow"))
    let entry = try #require(handler.entries.first { $0.level == .error })
    let number = "\(entry.metadata["number"] ?? "")"
    #expect(number.utf8.count == 8)
    #expect(
      reason == "the method failed; the server's log has the reason under the number \(number)")
    #expect("\(entry.metadata["error"] ?? "")" == #"cannot open /etc/shadow\u{1b}[2J"#)
    #expect("\(entry.metadata["method"] ?? "")" == "read")
    #expect("\(entry.metadata["interface"] ?? "")".hasSuffix(":Value"))
  }

  @Test func `errors that are meant for the caller arrive as they are`() async throws {
    let handler = InMemoryLogHandler()
    let logger = Logger(label: "test") { [handler] _ in handler }
    #expect(try await thrown(RPCError.unimplemented("no"), logger) == .unimplemented("no"))
    #expect(try await thrown(VisibleError(), logger) == .overloaded("try again later"))
    #expect(handler.entries.allSatisfy { $0.level < .error })
  }

  @Test func `an error in this process is hidden from its caller too`() async throws {
    let error = await #expect(throws: RPCError.self) {
      try await Value.Client.server(Thrower(SecretError())).read().finished()
    }
    #expect(error?.reason.hasPrefix("the method failed; ") == true)
  }
}
