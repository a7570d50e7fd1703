import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import Testing

private struct Failure: Error {}

/// Connections and listeners that are open for as long as a closure runs.
@Suite(.timeLimit(.minutes(5))) struct ScopedConnectionTests {
  private let address = RPCAddress.tcp(host: "127.0.0.1", port: 0)

  private func withServer(_ body: (RPCListener) async throws -> Void) async throws {
    try await withRPCListener(
      on: address,
      bootstrap: { _ in Capability(Calculator.Client.server(CalculatorServer())) }, body)
  }

  @Test func `the connection is closed when the closure returns`() async throws {
    try await withServer { listener in
      let connection = try await withRPCConnection(to: listener.address) { connection in
        let calculator = connection.bootstrap(as: Calculator.Client.self)
        try await calculator.evaluate { $0.expression.literal = 1 }.finished()
        return connection
      }
      #expect(try await connection.closed().kind == .disconnected)
      #expect(await eventually { listener.openConnections.isEmpty })
    }
  }

  @Test func `the connection is closed when the closure throws or is cancelled`() async throws {
    try await withServer { listener in
      await #expect(throws: Failure.self) {
        try await withRPCConnection(to: listener.address) { _ in throw Failure() }
      }
      #expect(await eventually { listener.openConnections.isEmpty })
      let task = Task {
        try await withRPCConnection(to: listener.address) { connection in
          try await connection.bootstrap(as: Calculator.Client.self).wait().finished()
        }
      }
      #expect(await eventually { listener.openConnections.count == 1 })
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(await eventually { listener.openConnections.isEmpty })
    }
  }

  @Test func `a listener is closed with its connections when the closure throws`() async throws {
    var connection: RPCConnection?
    await #expect(throws: Failure.self) {
      try await withServer { listener in
        connection = try await RPCConnector.connect(to: listener.address)
        #expect(await eventually { listener.openConnections.count == 1 })
        throw Failure()
      }
    }
    #expect(try await connection?.closed().kind == .disconnected)
  }
}
