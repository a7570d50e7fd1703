import Foundation
import Testing

/// The executable, as a shell runs it.
@Suite struct CommandTests {
  struct Result {
    let status: Int32
    let output: [UInt8]
    let errors: String
    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Calls the body with a folder that has the files.
  func withFiles<Value>(
    _ files: [String: String], _ body: (URL) throws -> Value
  ) throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
    return try body(folder)
  }

  /// An executable of the package, built beside the tests.
  static func executable(_ name: String) -> URL {
    URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: name)
  }

  func run(_ arguments: [String], input: [UInt8] = [], in folder: URL) throws -> Result {
    try run(Self.executable("capnp-swift"), arguments, input: input, in: folder)
  }

  func run(
    _ program: URL, _ arguments: [String], input: [UInt8], in folder: URL
  ) throws -> Result {
    // Files, as pipes fill up while nobody reads.
    let names = ["in", "out", "errors"].map { folder.appending(path: $0) }
    try Data(input).write(to: names[0])
    for name in names[1...] { try Data().write(to: name) }
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = try FileHandle(forReadingFrom: names[0])
    process.standardOutput = try FileHandle(forWritingTo: names[1])
    process.standardError = try FileHandle(forWritingTo: names[2])
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: Array(try Data(contentsOf: names[1])),
      errors: String(decoding: try Data(contentsOf: names[2]), as: UTF8.self))
  }

  func capnp(_ arguments: [String], input: [UInt8], in folder: URL) throws -> [UInt8] {
    let result = try run(
      URL(filePath: "/usr/bin/env"), ["capnp"] + arguments, input: input, in: folder)
    try #require(result.status == 0, "\(result.errors)")
    return result.output
  }

  private static let files = [
    "p.capnp": """
    @0x9a8b7c6d5e4f3021;
    struct Person { name @0 :Text; age @1 :UInt8; children @2 :List(Person); struct Pet {} }
    """
  ]
  private static let text = "(name = \"a\", age = 3)\n(children = [(name = \"b\")])\n"

  @Test func streamsAreConvertedAsTheToolDoes() throws {
    try withFiles(Self.files) { folder in
      let binary = try capnp(
        ["convert", "text:binary", "p.capnp", "Person"], input: Array(Self.text.utf8), in: folder)
      for forms in [
        "binary:text", "binary:json", "binary:binary", "binary:packed", "binary:flat",
        "binary:flat-packed", "binary:canonical",
      ] {
        let ours = try run(["convert", forms, "p.capnp", "Person"], input: binary, in: folder)
        #expect(ours.status == 0, "\(ours.errors)")
        #expect(
          try ours.output
            == capnp(["convert", forms, "p.capnp", "Person"], input: binary, in: folder))
      }
      let json = try capnp(
        ["convert", "binary:json", "p.capnp", "Person"], input: binary, in: folder)
      for (form, input) in [("text", Array(Self.text.utf8)), ("json", json)] {
        let ours = try run(
          ["convert", "\(form):binary", "p.capnp", "Person"], input: input, in: folder)
        #expect(ours.status == 0, "\(ours.errors)")
        #expect(
          try capnp(["decode", "--short", "p.capnp", "Person"], input: ours.output, in: folder)
            == capnp(["decode", "--short", "p.capnp", "Person"], input: binary, in: folder))
      }
    }
  }

  @Test func messagesWithoutFrameAreConverted() throws {
    try withFiles(Self.files) { folder in
      let input = Array("(name = \"a\", age = 3)".utf8)
      let flat = try run(["encode", "--flat", "p.capnp", "Person"], input: input, in: folder)
      #expect(flat.status == 0, "\(flat.errors)")
      let text = try run(
        ["decode", "--flat", "--short", "p.capnp", "Person"], input: flat.output, in: folder)
      #expect(text.text == "(name = \"a\", age = 3)\n")
      #expect(
        try capnp(
          ["decode", "--flat", "--short", "p.capnp", "Person"], input: flat.output, in: folder)
          == text.output)
      let cut = try run(
        ["decode", "--flat", "p.capnp", "Person"], input: Array(flat.output.dropLast()), in: folder)
      #expect(cut.status == 1)
      #expect(cut.errors.contains("no whole words"))
    }
  }

  @Test(arguments: [["--packed"], ["-p"], ["--flat", "--packed"]])
  func packedMessagesAreEncodedAndDecoded(options: [String]) throws {
    try withFiles(Self.files) { folder in
      let input = Array("(name = \"a\", age = 3)".utf8)
      let encoded = try run(["encode"] + options + ["p.capnp", "Person"], input: input, in: folder)
      #expect(encoded.status == 0, "\(encoded.errors)")
      for text in [
        try capnp(
          ["decode", "--short"] + options + ["p.capnp", "Person"], input: encoded.output, in: folder
        ),
        try run(
          ["decode", "--short"] + options + ["p.capnp", "Person"], input: encoded.output, in: folder
        ).output,
      ] {
        #expect(String(decoding: text, as: UTF8.self) == "(name = \"a\", age = 3)\n")
      }
      let converted = try run(
        ["convert", options.count == 1 ? "packed:binary" : "flat-packed:binary"],
        input: encoded.output, in: folder)
      #expect(converted.status == 0, "\(converted.errors)")
      #expect(
        try run(["decode", "--short", "p.capnp", "Person"], input: converted.output, in: folder)
          .text == "(name = \"a\", age = 3)\n")
    }
  }

  @Test func mistakesAreNamed() throws {
    try withFiles(Self.files.merging(["bad.capnp": "struct"]) { $1 }) { folder in
      func expect(
        _ status: Int32, _ words: String, _ arguments: [String], _ input: String = "",
        _ location: SourceLocation = #_sourceLocation
      ) throws {
        let result = try run(arguments, input: Array(input.utf8), in: folder)
        #expect(result.status == status, sourceLocation: location)
        #expect(result.errors.contains(words), "\(result.errors)", sourceLocation: location)
        #expect(result.output.isEmpty, sourceLocation: location)
      }
      try expect(2, "FROM:TO", ["convert", "text"])
      try expect(2, "need a schema and a type", ["convert", "text:binary"])
      try expect(2, "a schema needs a type", ["convert", "text:binary", "p.capnp"])
      try expect(2, "Unexpected argument", ["frobnicate"])
      try expect(2, "cannot be read", ["decode", "none.capnp", "Person"])
      try expect(2, "no valid schema", ["decode", "bad.capnp", "Person"])
      try expect(2, "there is no struct 'Nobody'", ["decode", "p.capnp", "Nobody"])
      try expect(1, "1:8: expected UInt8", ["encode", "p.capnp", "Person"], "(age = \"x\")")
      try expect(1, "inside a message", ["decode", "p.capnp", "Person"], "abc")
      try expect(1, "no whole", ["decode", "--flat", "p.capnp", "Person"], "abc")
    }
  }

  @Test func helpIsNoError() throws {
    try withFiles([:]) { folder in
      for arguments in [["--help"], ["convert", "--help"], ["compat", "--help"], ["--version"]] {
        let result = try run(arguments, in: folder)
        #expect(result.status == 0)
        #expect(!result.text.isEmpty)
      }
    }
  }

  @Test func versionsAreCompared() throws {
    let head = "@0x9a8b7c6d5e4f3021;\n"
    let files = [
      "1.capnp": head + "struct S { a @0 :Int8; }",
      "2.capnp": head + "struct S { a @0 :Int8; b @1 :Text; }",
      "3.capnp": head + "struct S { z @0 :Int8; }",
      "4.capnp": head + "struct S { a @0 :Int16; }", "bad.capnp": "struct",
    ]
    try withFiles(files) { folder in
      let added = try run(["compat", "1.capnp", "2.capnp"], in: folder)
      #expect(added.status == 0)
      #expect(added.text == "S.b: added (compatible)\n")
      let removed = try run(["compat", "2.capnp", "1.capnp"], in: folder)
      #expect(removed.status == 1)
      #expect(removed.text == "S.b: removed (breaks the wire)\n")
      let renamed = try run(["compat", "1.capnp", "3.capnp"], in: folder)
      #expect(renamed.status == 0)
      #expect(try run(["compat", "--source", "1.capnp", "3.capnp"], in: folder).status == 1)
      let json = try run(["compat", "--json", "1.capnp", "4.capnp"], in: folder)
      #expect(json.status == 1)
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(json.output)) as? [String: Any])
      #expect(report["compatible"] as? Bool == false)
      let differences = try #require(report["differences"] as? [[String: String]])
      #expect(differences.map { $0["path"] } == ["S.a"])
      #expect(differences.map { $0["kind"] } == ["typeChanged"])
      #expect(differences.map { $0["breaks"] } == ["wire"])
      #expect(try run(["compat", "1.capnp", "bad.capnp"], in: folder).status == 2)
      #expect(try run(["compat", "1.capnp"], in: folder).status == 2)
      #expect(try run(["compat", "1.capnp", "none.capnp"], in: folder).status == 2)
    }
  }
}
