// ping server ADDRESS              serves until SIGTERM, for 600 s at most
// ping hold ADDRESS WHAT COUNT PID says what one of COUNT things takes in memory, here and in the
//                                  server's process PID: "connections" or "capabilities"
// ping client ADDRESS CASE COUNT   runs COUNT iterations of the case, each of which is
//
//   ping-sequential   a call, made when the one before has returned
//   ping-N            a call, with N of them under way at any time
//   ping-chain        8 calls, each pipelined on the one before
//   ping-echo         a call that takes 1 MiB and returns it
//   ping-stream       a streaming call that takes 64 KiB
//   ping-local        a call on an object of the client's own process, after the one before
//   ping-memory       a call over a connection of two vats in the client's own process, with 256
//                     of them under way
//
// With PING_BUSY_POLLING in the environment, both ends look for what comes for so many microseconds
// before they sleep; with 0, they sleep at once.
//
// ADDRESS is 127.0.0.1:PORT or unix:PATH; with port 0 the server takes a free one and prints
// "listening PORT".

import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import Dispatch
import Foundation
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
    } else if arguments.count == 5, arguments[1] == "client", let count = Int(arguments[4]),
      count > 0, let body = timed(arguments[3])
    {
      Work {
        try await drive(RPCAddress(parsing: arguments[2]), arguments[3], count, body)
      }.wait()
    } else if arguments.count == 6, arguments[1] == "hold", let count = Int(arguments[4]),
      count > 0, let server = Int(arguments[5])
    {
      Work {
        let holding = try Holding(address: RPCAddress(parsing: arguments[2]), server: server)
        switch arguments[3] {
        case "connections": try await holding.connections(count)
        case "capabilities": try await holding.capabilities(count)
        default: fail("ping: \(arguments[3]) is nothing to hold", code: 64)
        }
      }.wait()
    } else {
      fail(
        "usage: ping server ADDRESS | ping client ADDRESS CASE COUNT "
          + "| ping hold ADDRESS connections|capabilities COUNT PID", code: 64)
    }
  }

  private typealias Timed = @Sendable (PingClient, Int) async throws -> UInt64

  private static func timed(_ name: String) -> Timed? {
    switch name {
    case "ping-sequential", "ping-local": return { try await $0.sequential($1) }
    case "ping-chain": return { try await $0.chain($1, depth: 8) }
    case "ping-echo": return { try await $0.echo($1) }
    case "ping-stream": return { try await $0.stream($1) }
    case "ping-memory": return { try await $0.concurrent($1, depth: 256) }
    default:
      guard let depth = Int(name.dropFirst("ping-".count)), depth > 0 else { return nil }
      return { try await $0.concurrent($1, depth: depth) }
    }
  }

  private static func drive(
    _ address: RPCAddress, _ name: String, _ count: Int, _ body: @escaping Timed
  ) async throws {
    let connection = try await RPCConnector.connect(to: address, limits: .benchmark)
    // Where the connection does its work, as the client in C++ does.
    try await withTaskExecutorPreference(connection.taskExecutor) {
      let target: Ping.Client
      switch name {
      case "ping-local": target = .server(PingObject())
      case "ping-memory":
        target = InMemoryNetwork.connect(
          server: Capability(Ping.Client.server(PingObject())),
          on: connection.taskExecutor as? any ConnectionExecutor
        ).client.bootstrap()
      default: target = connection.bootstrap()
      }
      let client = try await PingClient(target)
      let start = ContinuousClock.now
      let checksum = try await body(client, count)
      report(name, iterations: count, elapsed: .now - start, checksum: checksum)
    }
    connection.close()
    _ = try await connection.closed()
  }
}

extension ConnectionLimits {
  /// Those of the package, with busy polling for PING_BUSY_POLLING microseconds if that is set.
  static var benchmark: ConnectionLimits {
    var limits = ConnectionLimits()
    if let time = ProcessInfo.processInfo.environment["PING_BUSY_POLLING"].flatMap({ Int($0) }) {
      limits.busyPolling = time > 0 ? .always(.microseconds(time)) : .never
    }
    return limits
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
