import CapnProto
import CapnProtoSchema
import Foundation
import Testing

/// Random values of random schemas, compared with what the C++ implementation makes of them.
///
/// `RANDOM_SCHEMAS` says how many; a failure names the seed.
@Suite(.serialized) struct RandomTests {
  static let count = ProcessInfo.processInfo.environment["RANDOM_SCHEMAS"].flatMap(Int.init) ?? 50

  /// A file with a random schema.
  private static func schemaFile(_ seed: Int) throws -> (path: String, source: String) {
    var seed = UInt64(seed)
    while true {
      let source = RandomSchema.source(seed: seed)
      let file = FileManager.default.temporaryDirectory
        .appending(path: UUID().uuidString + ".capnp")
      try Data(source.utf8).write(to: file)
      let path = file.path(percentEncoded: false)
      do {
        _ = try Oracle.request(path)
        return (path, source)
      } catch let failure as Oracle.Failure where failure.description.contains("issues/344") {
        // The schema compiler refuses unions that its early versions laid out wrongly.
        try FileManager.default.removeItem(at: file)
        seed += 1 << 32
      }
    }
  }

  @Test(arguments: 0..<count) func formsAreThoseOfTheTool(seed: Int) throws {
    let (path, source) = try Self.schemaFile(seed)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let (schema, id) = try Oracle.load(try Oracle.request(path))
    let structure = try #require(schema.structure(named: "S0", in: id))
    func tool(_ forms: String, _ input: [UInt8]) throws -> [UInt8] {
      do {
        return try Oracle.run(["convert", "--quiet", forms, path, "S0"], input: input)
      } catch let failure as Oracle.Failure {
        throw Oracle.Failure(description: "\(failure)\n\(source)\n\(input.text)")
      }
    }

    let message = MessageBuilder()
    var values = RandomValue(seed: UInt64(seed) &* 31)
    try values.fill(message.initRoot(as: structure), depth: 3)
    let bytes = message.flattened()
    let reader = try MessageReader(flat: bytes)
    let root = try reader.root(as: structure)
    let text = try TextCodec().encode(root)
    #expect(text + [10] == (try tool("binary:text", bytes)), "\(source)")
    let json = try JSONCodec().encode(root)
    #expect(json + [10] == (try tool("binary:json", bytes)), "\(source)")

    // Canonical, as the order of allocation is nobody's business.
    let fromText = MessageBuilder()
    try TextCodec().decode(text, into: fromText.initRoot(as: structure))
    #expect(
      try tool("binary:canonical", fromText.flattened()) == tool("text:canonical", text),
      "\(source)\n\(text.text)")
    let fromJSON = MessageBuilder()
    try JSONCodec().decode(json, into: fromJSON.initRoot(as: structure))
    #expect(
      try tool("binary:canonical", fromJSON.flattened()) == tool("json:canonical", json),
      "\(source)\n\(json.text)")
  }
}
