import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// What a ping client does in the cases that are timed; each returns its checksum.
struct PingClient<Transport: ClientTransport> {
  private let client: GRPCClient<Transport>

  init(_ client: GRPCClient<Transport>) async throws {
    self.client = client
    for number in 0..<100 { _ = try await ping(UInt64(number)) }
  }

  func run(_ load: PingCase, _ count: Int) async throws -> UInt64 {
    switch load {
    case .sequential: try await sequential(count)
    case .concurrent(let depth): try await concurrent(count, depth: depth)
    case .echo: try await echo(count)
    }
  }

  private func ping(_ number: UInt64) async throws -> UInt64 {
    try await client.unary(
      request: ClientRequest(message: number), descriptor: PingMethod.ping,
      serializer: NumberCoding(), deserializer: NumberCoding(), options: .defaults
    ) { try $0.message }
  }

  /// A call lasts as long as the function that makes it: as many tasks as there are calls under way.
  private func concurrent(_ count: Int, depth: Int) async throws -> UInt64 {
    try await withThrowingTaskGroup(of: UInt64.self) { group in
      for first in 0..<depth {
        group.addTask {
          var sum: UInt64 = 0
          for number in stride(from: first, to: count, by: depth) {
            sum &+= try await ping(UInt64(number))
          }
          return sum
        }
      }
      return try await group.reduce(0, &+)
    }
  }

  private func sequential(_ count: Int) async throws -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<count { sum &+= try await ping(UInt64(number)) }
    return sum
  }

  private func echo(_ count: Int) async throws -> UInt64 {
    var sum: UInt64 = 0
    let data = [UInt8](repeating: 7, count: 1 << 20)
    for number in 0..<count {
      sum &+= try await client.unary(
        request: ClientRequest(message: data), descriptor: PingMethod.echo,
        serializer: BytesCoding(), deserializer: BytesCoding(), options: .defaults
      ) {
        let bytes = try $0.message
        guard bytes.count == data.count else {
          throw RPCError(code: .dataLoss, message: "\(bytes.count) bytes came back")
        }
        return UInt64(bytes.count) + UInt64(bytes[number % data.count])
      }
    }
    return sum
  }
}
