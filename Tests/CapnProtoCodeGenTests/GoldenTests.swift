import CapnProtoCodeGen
import Foundation
import Testing

/// The output for small schemas, word for word.
///
/// With the environment variable UPDATE_GOLDEN the files are written anew instead; read the
/// difference before it is committed.
@Suite struct GoldenTests {
  @Test(arguments: ["person", "calculator", "constants", "names", "generics", "values"])
  func outputIsTheRecordedOne(name: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
    let schema = try String(
      contentsOf: folder.appending(path: "\(name).capnp"), encoding: .utf8)
    let file = try #require(
      try Compiler().generator(["\(name).capnp": schema]).files().first)
    #expect(file.name == "\(name).capnp.swift")
    let golden = folder.appending(path: "\(name).golden")
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
      try Data(file.text.utf8).write(to: golden)
    }
    let recorded = try String(contentsOf: golden, encoding: .utf8)
    // The first line that differs says more than two whole files.
    for (line, expected) in zip(file.text.split(separator: "\n"), recorded.split(separator: "\n")) {
      try #require(line == expected)
    }
    #expect(file.text == recorded)
  }

  @Test func outputDoesNotDependOnWhatElseIsRequested() throws {
    let one = "@0xd4c9b1f5a2e87350; using Two = import \"two.capnp\"; struct A { b @0 :Two.B.C; }"
    let two = "@0xd4c9b1f5a2e87351; struct B { g :group { x @0 :UInt8; } struct C {} struct G {} }"
    let compiler = try Compiler()
    let alone = try compiler.generator(["one.capnp": one, "two.capnp": two]).files()
    let other = try compiler.generator(["two.capnp": two, "one.capnp": one]).files()
    let both = try compiler.generator(["one.capnp": one, "two.capnp": two], requested: 2).files()
    #expect(alone + other == both)
    #expect(try #require(alone.first).text.contains("B.C.Reader"))
    #expect(try #require(other.first).text.contains("public enum G_ {"))
  }

  @Test func bindingsOfJSONAreImportedForItsTypesOnly() throws {
    let head = "@0xd4c9b1f5a2e87353; using Json = import \"/capnp/compat/json.capnp\";"
    let annotated = "\(head) struct A { x @0 :UInt8 $Json.name(\"y\"); }"
    let text = try #require(try Compiler().generator(["a.capnp": annotated]).files().first).text
    #expect(!text.contains("CapnProtoCompat"))
    let typed = "\(head) struct A { x @0 :Json.Value; }"
    let other = try #require(try Compiler().generator(["a.capnp": typed]).files().first).text
    #expect(other.contains("public import CapnProtoCompat\n"))
    #expect(other.contains("var x: CapnProtoCompat::Value.Reader"))
    #expect(other.contains("imports: [CapnProtoCompat::_schema_8ef99297a43a5e34]"))
  }

  @Test func standardBindingsAreImported() throws {
    let schema = """
      @0xd4c9b1f5a2e87352;
      using Schema = import "/capnp/schema.capnp";
      struct A { node @0 :Schema.Node.SourceInfo; size @1 :Schema.ElementSize; }
      """
    let text = try #require(try Compiler().generator(["a.capnp": schema]).files().first).text
    #expect(text.contains("public import CapnProto\npublic import CapnProtoSchema\n"))
    #expect(text.contains("var node: CapnProtoSchema::Node.SourceInfo.Reader"))
    #expect(!text.contains("CapnProtoRPC"))
  }
}
