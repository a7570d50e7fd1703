// ping server ADDRESS                       serves until SIGTERM, for 600 s at most
// ping client ADDRESS COUNT DEPTH [CASE]   runs one case, or all three:
//
//   ping-sequential   COUNT calls, each made when the one before has returned
//   ping-concurrent   COUNT calls, with DEPTH of them under way at any time
//   ping-chain        COUNT / DEPTH times a chain of DEPTH calls, each pipelined on the one before;
//                     an iteration is a chain
//
// ADDRESS is 127.0.0.1:PORT or unix:PATH; with port 0 the server takes a free one and prints
// "listening PORT".

import CapnProtoNIO
import CapnProtoRPC
import Dispatch
import Reporting

@main
enum Main {
  static func main() {
    let arguments = CommandLine.arguments
    if arguments.count == 3, arguments[1] == "server" {
      var signals = EndSignals()
      let (end, ending) = AsyncStream<Never>.makeStream()
      let server = Work { try await serve(RPCAddress(parsing: arguments[2]), until: end) }
      signals.wait(seconds: 600)
      ending.finish()
      server.wait()
    } else if 5...6 ~= arguments.count, arguments[1] == "client", let count = Int(arguments[3]),
      let depth = Int(arguments[4]), count > 0, depth > 0
    {
      Work {
        try await drive(
          RPCAddress(parsing: arguments[2]), count, depth,
          only: arguments.count == 6 ? arguments[5] : nil)
      }.wait()
    } else {
      fail("usage: ping server ADDRESS | ping client ADDRESS COUNT DEPTH [CASE]", code: 64)
    }
  }

  private static func drive(
    _ address: RPCAddress, _ count: Int, _ depth: Int, only: String?
  ) async throws {
    let connection = try await RPCConnector.connect(to: address)
    // Where the connection does its work, as the client in C++ does.
    try await withTaskExecutorPreference(connection.taskExecutor) {
      let client = try await PingClient(connection.bootstrap())
      func isWanted(_ name: String) -> Bool { only == nil || only == name }
      if isWanted("ping-sequential") { try await client.sequential(count) }
      if isWanted("ping-concurrent") { try await client.concurrent(count, depth: depth) }
      if isWanted("ping-chain") { try await client.chain(max(count / depth, 1), depth: depth) }
    }
    connection.close()
    _ = try await connection.closed()
  }
}

/// Asynchronous work that the main thread waits for: an asynchronous `main` would give that thread
/// to the main queue, which is not used here and which valgrind does not follow.
private struct Work {
  private let isDone = DispatchSemaphore(value: 0)

  /// Starts the work; if it fails, so does the program.
  init(_ body: @escaping @Sendable () async throws -> Void) {
    Task.detached { [isDone] in
      do { try await body() } catch { fail("ping: \(error)", code: 1) }
      isDone.signal()
    }
  }

  func wait() { isDone.wait() }
}
