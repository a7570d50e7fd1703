import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct FloodTests {
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
      Sizes.Client.server(Mirror())._capability
    }
    let connection = try await RPCConnector.connect(
      to: listener.address, bootstrap: Sizes.Client.server(Mirror())._capability)
    let there = connection.bootstrap(as: Sizes.Client.self)
    let here = try #require(listener.openConnections.first).bootstrap(as: Sizes.Client.self)
    async let first = flood(there)
    async let second = flood(here)
    #expect(try await first == 400)
    #expect(try await second == 400)
    connection.close()
    await listener.close()
  }
}

/// Gives back what it gets.
private final class Mirror: Sizes.Server {
  func reflect(_ call: ReflectCall) async throws {
    try call.reply { try $0.setData(call.params.data.bytes) }
  }
}
