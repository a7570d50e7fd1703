import CapnProto
import CapnProtoRPC

let streamScenarios: [Scenario] = [
  Scenario("stream") { client in
    let sink = client.peer.newSink().pipeline.sink
    let data = [UInt8](repeating: 7, count: 8 << 10)
    for _ in 0..<50 { try await sink.write { $0.data = data } }
    let (bytes, atOnce) = try await sink.done().results { ($0.bytes, $0.atOnce) }
    try expect(bytes, is: 50 * 8 << 10)
    try expect(atOnce, is: 1)
  },
  Scenario("stream-ends-with-a-failure") { client in
    let sink = client.peer.newSink().pipeline.sink
    try await sink.write { $0.data = [1] }
    try await sink.write()
    try await expectFailure(.failed, "nothing to write") { try await sink.done().finished() }
    try await expectFailure(.failed, "nothing to write") {
      try await Capability(sink).finishStream()
    }
  },
]
