import Foundation
import Testing

@Suite struct CorpusTests {
  static var inputs: [URL] {
    let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Corpus")
    let found = try? FileManager.default.contentsOfDirectory(
      at: corpus, includingPropertiesForKeys: nil)
    return (found ?? []).sorted { $0.path < $1.path }
  }

  @Test func everyInputEndsInAnErrorOrKeepsItsPromise() throws {
    let inputs = Self.inputs
    #expect(inputs.count >= FuzzTarget.allCases.count)
    for input in inputs { FuzzTarget.run([UInt8](try Data(contentsOf: input))) }
  }

  @Test func damagedInputsDoAsWell() throws {
    for input in Self.inputs {
      let bytes = [UInt8](try Data(contentsOf: input))
      for index in stride(from: 0, to: bytes.count, by: 5) {
        var damaged = bytes
        damaged[index] ^= 1 << UInt8(index % 8)
        FuzzTarget.run(damaged)
      }
    }
  }
}
