import CapnProto
import CapnProtoRPC

let failureScenarios: [Scenario] = [
  Scenario("exceptions-of-each-kind") { client in
    for kind in RPCError.Kind.allCases {
      try await expectFailure(kind, "because of \(kind)") {
        try await client.peer.fail {
          $0.kind = FailureKind(rawValue: kind.rawValue)
          $0.reason = "because of \(kind)"
        }.finished()
      }
    }
    _ = try await client.liveObjects()  // the connection still works
  },
  Scenario("unknown-methods") { client in
    let tomorrow = Capability(client.peer).cast(to: PeerOfTomorrow.Client.self)
    try await expectFailure(.unimplemented) { try await tomorrow.later().finished() }
    let beyond: RemoteCall<Peer.LiveObjectsResults.Reader, NoPipeline> =
      Capability(client.peer).call(Peer._interface, method: 999) {
        (_: Peer.LiveObjectsParams.Builder) in
      }
    try await expectFailure(.unimplemented) { try await beyond.finished() }
    let counter = client.peer.newCounter().pipeline.counter
    let wrong = Capability(counter).cast(to: Sequence.Client.self).next()
    try await expectFailure(.unimplemented) { try await wrong.finished() }
    try await expect(counter.sum(plus: 1), is: 1)
  },
]
