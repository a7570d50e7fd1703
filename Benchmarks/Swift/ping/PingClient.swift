import CapnProto
import CapnProtoRPC
import DequeModule

/// What a ping client does in the cases that are timed; each returns its checksum.
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

  func sequential(_ count: Int) async throws -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<count { sum += try await Self.call(ping, UInt64(number)).results { $0.n } }
    return sum
  }

  func concurrent(_ count: Int, depth: Int) async throws -> UInt64 {
    var sum: UInt64 = 0
    var underWay = Deque<Call>()
    for number in 0..<count {
      if underWay.count == depth { sum += try await underWay.removeFirst().results { $0.n } }
      underWay.append(Self.call(ping, UInt64(number)))
    }
    for call in underWay { sum += try await call.results { $0.n } }
    return sum
  }

  func chain(_ count: Int, depth: Int) async throws -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<count {
      var last = ping
      for _ in 1..<depth { last = last.next().pipeline.ping }
      sum += try await Self.call(last, UInt64(number)).results { $0.n }
    }
    return sum
  }

  func echo(_ count: Int) async throws -> UInt64 {
    var sum: UInt64 = 0
    let data = [UInt8](repeating: 7, count: 1 << 20)
    for number in 0..<count {
      sum += try await ping.echo { $0.data = data }.results {
        let bytes = try $0.data.bytes
        return UInt64(bytes.count) + UInt64(bytes[number % data.count])
      }
    }
    return sum
  }

  /// A streaming call returns when the flow control of the connection lets the next one begin.
  func stream(_ count: Int) async throws -> UInt64 {
    let data = [UInt8](repeating: 7, count: 1 << 16)
    for _ in 0..<count { try await ping.write { $0.data = data } }
    return try await ping.written().results { $0.bytes }
  }
}
