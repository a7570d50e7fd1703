import CapnProto
import Foundation
import Testing

/// Messages that cross between this library and the `capnp` tool, which is the C++ implementation.
@Suite struct OracleTests {
  /// `fill(_:)` as the tool writes it.
  static let text = """
    (a = 18446744073709551615, b = -9223372036854775808, c = 3735928559, d = -1.5, e = -300,
     f = 60000, g = 200, h = -100, flag = true, other = false, x = 1e300, color = blue, seven = 8,
     text = "text of the sample", data = 0x"01 02 03", child = (text = "child"),
     numbers = [0, 1000, 2000, 3000, 4000],
     bools = [true, false, false, false, false, false, false, false, false, false, true],
     texts = ["zero", "", "two"],
     children = [(a = 10), (child = (text = "grandchild"))],
     nested = [[0, 1, 2], [], []], voids = [void, void, void, void], colors = [green, blue])
    """

  /// Runs the tool on messages of the sample's type.
  static func capnp(
    _ command: String, _ options: [String] = [], input: [UInt8]
  ) throws -> Tool.Result {
    try Tool.inDirectory { directory in
      let schema = directory.appending(path: "sample.capnp").path
      try sampleSchema.write(toFile: schema, atomically: true, encoding: .utf8)
      let result = try Tool.run(
        ["capnp", command] + options + [schema, "Sample"], input: input)
      try #require(result.status == 0, "\(result.text)")
      return result
    }
  }

  /// The sample without its AnyPointer, of which the tool's text says nothing.
  static func message(firstSegmentWords: Int) -> MessageBuilder {
    let message = MessageBuilder(firstSegmentWords: firstSegmentWords)
    message.build(Sample.Builder.self) {
      fill($0)
      $0.any.clear()
    }
    return message
  }

  @Test(arguments: [1, 4, 40, 1000]) func toolReadsWhatIsBuilt(firstSegmentWords: Int) throws {
    let ours = Self.message(firstSegmentWords: firstSegmentWords).flattened()
    let theirs = try Self.capnp("encode", input: Array(Self.text.utf8)).output
    #expect(
      try Self.capnp("decode", input: ours).text == Self.capnp("decode", input: theirs).text)
    // The canonical form tells apart what the text does not, as null from empty.
    let form = ["binary:canonical"]
    #expect(
      try Self.capnp("convert", form, input: ours).output
        == Self.capnp("convert", form, input: theirs).output)
  }

  @Test(arguments: ["encode", "encode --segment-size=1"])
  func whatTheToolBuildsIsRead(command: String) throws {
    let words = command.split(separator: " ").map(String.init)
    let bytes = try Self.capnp(
      words[0], Array(words.dropFirst()), input: Array(Self.text.utf8)
    ).output
    let received = try MessageReader(flat: bytes)
    let sample = try received.root(as: Sample.Reader.self)
    try expectFilled(sample, any: false)
    // And copied, is still the same to the tool.
    let copy = tinyMessage()
    try copy.root.set(sample)
    #expect(
      try Self.capnp("decode", input: copy.flattened()).text
        == Self.capnp("decode", input: bytes).text)
  }

  @Test func upgradesAreReadByTheTool() throws {
    // A sample that starts as a struct of one word, in a segment with no room for more.
    for words in [1, 4, 5, 6] {
      let message = MessageBuilder(firstSegmentWords: words)
      message.root.initStructure(as: Small.Builder.self).text = "full!"
      let sample = message.root.structure(as: Sample.Builder.self)
      sample.a = 3
      _ = sample._raw.pointer(6).initList(of: Small.Builder.self, count: 2)
      let children = sample.children
      children[1].initChild().text = "x"
      let text = try Self.capnp("decode", ["--short"], input: message.flattened()).text
      #expect(text.hasPrefix("(a = 3, b = 0, "))
      #expect(text.contains("text = \"full!\""))
      #expect(text.contains("child = (") && text.contains("text = \"x\""))
    }
  }
}
