import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import DequeModule
import Reporting

/// Makes calls on a ping server and reports how long they took.
struct PingClient {
  private typealias Call = RemoteCall<Ping.PingResults.Reader, NoPipeline>
  private let ping: Ping.Client

  init(_ ping: Ping.Client) async throws {
    self.ping = ping
    for number in 0..<100 { try await Self.call(ping, UInt64(number)).finished() }
  }

  private static func call(_ ping: Ping.Client, _ number: UInt64) -> Call {
    ping.ping { $0.n = number }
  }

  private func result(_ call: Call) async throws -> UInt64 { try await call.results { $0.n } }

  func sequential(_ count: Int) async throws {
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for number in 0..<count { sum += try await result(Self.call(ping, UInt64(number))) }
    report("ping-sequential", iterations: count, elapsed: .now - start, checksum: sum)
  }

  func concurrent(_ count: Int, depth: Int) async throws {
    var sum: UInt64 = 0
    var underWay = Deque<Call>()
    let start = ContinuousClock.now
    for number in 0..<count {
      if underWay.count == depth { sum += try await result(underWay.removeFirst()) }
      underWay.append(Self.call(ping, UInt64(number)))
    }
    for call in underWay { sum += try await result(call) }
    report("ping-concurrent", iterations: count, elapsed: .now - start, checksum: sum)
  }

  func chain(_ count: Int, depth: Int) async throws {
    var sum: UInt64 = 0
    let start = ContinuousClock.now
    for number in 0..<count {
      var last = ping
      for _ in 1..<depth { last = last.next().pipeline.ping }
      sum += try await result(Self.call(last, UInt64(number)))
    }
    report("ping-chain", iterations: count, elapsed: .now - start, checksum: sum)
  }
}
