import CapTP
import CapnProto
import Testing

@Suite struct PipelinePathTests {
  /// A call of what a running call will return, by a path of so many steps.
  private func callByPath(_ steps: Int) throws -> [String] {
    let engine = Engine(bootstrap: Object())
    _ = engine.receive { $0.bootstrapQuestion(0) }
    _ = engine.receive { $0.callExport(1, 0) }
    return try engine.receive {
      $0.callAnswer(2, of: 1)
      let ops = try $0.call.target.promisedAnswer.initTransform(steps)
      for index in ops.indices { ops[index].getPointerField = 0 }
    }
  }

  @Test func `a path is no longer than structs nest in a message that can be read`() throws {
    #expect(try callByPath(64) == [])
    #expect(try callByPath(65) == ["abort: a pipeline path has 65 steps"])
  }

  @Test func `a path ends at null, however long it is`() throws {
    let message = MessageBuilder()
    message.build(Message.Builder.self) { _ = $0.initReturn().initResults() }
    let reader = message.freeze()
    let path = PipelinePath(Array(repeating: 0, count: 1_000_000))
    let content = try reader.root(as: Message.Reader.self).`return`.results.content
    #expect(try path.capability(in: content) == nil)
  }

  @Test(arguments: 0...6) func `a path is what its fields are, however it came to be`(count: Int) {
    let fields = (0..<UInt16(count)).map { 0xffff - $0 * 7 }
    let whole = PipelinePath(fields)
    var grown = PipelinePath()
    for field in fields { grown.append(field) }
    #expect(whole.fields == fields)
    #expect(grown.fields == fields)
    #expect(grown == whole)
    #expect(Set([grown, whole]).count == 1)
    for index in fields.indices {
      var other = fields
      other[index] = 1
      #expect(PipelinePath(other) != whole)
      #expect(PipelinePath(Array(fields.prefix(index))) != whole)
    }
  }

  /// Trailing zeros are fields like others.
  @Test func `paths of zeros differ by their length`() {
    let paths = (0...6).map { PipelinePath(Array(repeating: 0, count: $0)) }
    #expect(Set(paths).count == 7)
  }

  /// All ways to set and remove for three paths, five times in a row.
  @Test func `what is kept for paths is found, replaced and removed`() {
    let paths = (0..<3).map { PipelinePath([$0]) }
    for run in 0..<7776 {
      var map = PathMap<Int>()
      var model: [PipelinePath: Int] = [:]
      var choices = run
      for step in 0..<5 {
        let path = paths[choices % 3]
        let value = choices % 6 < 3 ? nil : step
        choices /= 6
        map[path] = value
        model[path] = value
      }
      guard map.count == model.count, map.isEmpty == model.isEmpty,
        paths.allSatisfy({ map[$0] == model[$0] }),
        Dictionary(uniqueKeysWithValues: map.map { ($0.path, $0.value) }) == model
      else {
        Issue.record("run \(run): \(map) is not \(model)")
        return
      }
    }
  }
}
