import CapnProto
import CapnProtoRPC

extension Client {
  func root(
    _ name: String, _ milliseconds: UInt32
  ) -> RemoteCall<Peer.NewNodeResults.Reader, Peer.NewNodeResults.Pipeline> {
    peer.newNode {
      $0.name = name
      $0.afterMilliseconds = milliseconds
    }
  }
}

extension Node.Client {
  func below(
    _ name: String, _ milliseconds: UInt32 = 0
  ) -> RemoteCall<Node.ChildResults.Reader, Node.ChildResults.Pipeline> {
    child {
      $0.name = name
      $0.afterMilliseconds = milliseconds
    }
  }
}

let pipelineScenarios: [Scenario] = [
  Scenario("pipeline") { client in
    let counter = client.peer.newCounter { $0.start = 1 }.pipeline.counter
    try await expect(counter.sum(plus: 2), is: 3)
  },
  Scenario("pipeline-on-pending-answers") { client in
    let path = client.root("a", 50).pipeline.node
      .below("b", 30).pipeline.node.below("c", 10).pipeline.node.path()
    try await expect(path.results { try $0.path.string }, is: "a/b/c")
  },
  Scenario("pipeline-through-structs") { client in
    let place = client.root("a", 30).pipeline.node.below("b", 10).pipeline.node.place()
    let deep = place.pipeline.place.inner.node.below("d")
    try await expect(deep.pipeline.node.path().results { try $0.path.string }, is: "a/b/d")
    let answer = try await place.results()
    try expect(answer.reader.place.label.string, is: "place of a/b")
    try expect(answer.reader.place.inner.depth, is: 1)
  },
  Scenario("pipeline-on-failure") { client in
    let root = client.root("", 0)
    let path = root.pipeline.node.below("b").pipeline.node.path()
    try await expectFailure(.failed, "a node needs a name") { try await path.finished() }
    try await expectFailure(.failed, "a node needs a name") { try await root.finished() }
  },
  Scenario("pipeline-on-null") { client in
    let nothing = client.peer.find { $0.name = "nonsense" }
    let value = nothing.pipeline.capability.cast(to: Counter.Client.self).value()
    try await expectFailure(.failed) { try await value.finished() }
  },
  Scenario("calls-keep-their-order") { client in
    let sequence = client.peer.newSequence().pipeline.sequence
    let calls = (0..<1000).map { index in sequence.next { $0.expected = UInt32(index) } }
    for (index, call) in calls.enumerated() {
      try await expect(call.results { $0.n }, is: UInt32(index))
    }
  },
]
