import CapnProtoInstruments
import CapnProtoRPC
import CapnProtoTesting
import MetricsTestKit
import Testing

@Suite(.timeLimit(.minutes(5))) struct MetricsTests {
  @Test func `calls, bytes and connections are counted on both sides`() async throws {
    let (there, here) = (TestMetrics(), TestMetrics())
    let (client, server) = TestObject.connect(
      client: RPCMetrics(factory: here), server: RPCMetrics(factory: there))
    let object = client.bootstrapCapability()
    try await TestObject.call(object, .answer)
    await #expect(throws: RPCError.self) { try await TestObject.call(object, .overload) }
    #expect(try here.expectTimer("capnp.rpc.calls", [("side", "client")]).values.count == 2)
    #expect(try there.expectTimer("capnp.rpc.calls", [("side", "server")]).values.count == 2)
    #expect(try here.expectTimer("capnp.rpc.calls", [("side", "server")]).values.isEmpty)
    for (metrics, side) in [(here, "client"), (there, "server")] {
      for kind in RPCError.Kind.allCases {
        let total = metrics.counterTotal(
          label: "capnp.rpc.failures", dimensions: [("side", side), ("kind", "\(kind)")])
        #expect(total == (kind == .overloaded ? 1 : 0))
      }
      #expect(try metrics.expectMeter("capnp.rpc.connections").values.last == 1)
    }
    client.close()
    _ = try await server.closed()
    // What one side has sent, the other one has received.
    for label in ["capnp.rpc.messages", "capnp.rpc.bytes"] {
      for (from, to) in [(here, there), (there, here)] {
        let sent = from.counterTotal(label: label, dimensions: [("direction", "sent")])
        #expect(sent > 0)
        #expect(sent == to.counterTotal(label: label, dimensions: [("direction", "received")]))
      }
    }
    #expect(try here.expectMeter("capnp.rpc.connections").values.last == 0)
    #expect(try there.expectMeter("capnp.rpc.connections").values.last == 0)
  }

  @Test func `a connection that is aborted is counted where it was, and where it is told`()
    async throws
  {
    let (there, here) = (TestMetrics(), TestMetrics())
    let (client, server) = TestObject.connect(
      client: RPCMetrics(factory: here), server: RPCMetrics(factory: there))
    server.abort("too much")
    _ = try await client.closed()
    #expect(there.counterTotal(label: "capnp.rpc.aborts", dimensions: [("direction", "sent")]) == 1)
    #expect(
      here.counterTotal(label: "capnp.rpc.aborts", dimensions: [("direction", "received")]) == 1)
  }
}
