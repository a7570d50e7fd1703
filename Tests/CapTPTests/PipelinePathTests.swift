import CapTP
import CapnProto
import Testing

@Suite struct PipelinePathTests {
  /// A call of what a running call will return, by a path of so many steps.
  private func callByPath(_ steps: Int) -> [String] {
    let engine = Engine(bootstrap: Object())
    _ = engine.receive { $0.bootstrapQuestion(0) }
    _ = engine.receive { $0.callExport(1, 0) }
    return engine.receive {
      $0.callAnswer(2, of: 1)
      let ops = $0.call.target.promisedAnswer.initTransform(steps)
      for index in ops.indices { ops[index].getPointerField = 0 }
    }
  }

  @Test func `a path is no longer than structs nest in a message that can be read`() {
    #expect(callByPath(64) == [])
    #expect(callByPath(65) == ["abort: a pipeline path has 65 steps"])
  }

  @Test func `a path ends at null, however long it is`() throws {
    let message = MessageBuilder()
    message.build(Message.Builder.self) { _ = $0.initReturn().initResults() }
    let reader = message.freeze()
    let path = PipelinePath(Array(repeating: 0, count: 1_000_000))
    let content = try reader.root(as: Message.Reader.self).`return`.results.content
    #expect(try path.capability(in: content) == nil)
  }
}
