import Foundation
import Testing

/// The executable, as the schema compiler runs it.
@Suite struct CommandTests {
  private func run(
    _ arguments: [String], input: [UInt8] = []
  ) throws -> (status: Int32, output: String, errors: String) {
    let process = Process()
    // Built beside the tests.
    process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appending(path: "capnpc-swift-gen")
    process.arguments = arguments
    let (standardInput, output, errors) = (Pipe(), Pipe(), Pipe())
    process.standardInput = standardInput
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    try standardInput.fileHandleForWriting.write(contentsOf: Data(input))
    try standardInput.fileHandleForWriting.close()
    let texts = try [output, errors].map {
      String(decoding: try $0.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }
    process.waitUntilExit()
    return (process.terminationStatus, texts[0], texts[1])
  }

  @Test func theSchemaCompilerFindsItOnThePath() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let schema = folder.appending(path: "a.capnp")
    try Data("@0xd4c9b1f5a2e87373; struct A { x @0 :UInt8; }".utf8).write(to: schema)
    let root = folder.path(percentEncoded: false)
    let built = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let output = folder.appending(path: "a.capnp.swift").path(percentEncoded: false)
    func compile() throws -> Date? {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments =
        ["capnp", "compile", "-oswift-gen:\(root)", "--src-prefix=\(root)"]
        + [schema.path(percentEncoded: false)]
      var environment = ProcessInfo.processInfo.environment
      environment["PATH"] = "\(built.path(percentEncoded: false)):\(environment["PATH"] ?? "")"
      process.environment = environment
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      return try FileManager.default.attributesOfItem(atPath: output)[.modificationDate] as? Date
    }
    let written = try compile()
    #expect(
      try String(contentsOfFile: output, encoding: .utf8).contains("public enum A: StructType"))
    // What is the same already is left alone: nothing is compiled anew.
    #expect(try compile() == written)
  }

  @Test func helpAndVersionAreNoErrors() throws {
    let help = try run(["--help"])
    #expect(help.status == 0)
    #expect(help.output.contains("capnp compile -o"))
    let version = try run(["--version"])
    #expect(version.status == 0)
    #expect(version.output.hasPrefix("capnpc-swift-gen "))
  }

  @Test func inputThatIsNoRequestIsAnError() throws {
    for input in [[], [1, 2, 3], [UInt8](repeating: 0xff, count: 64)] as [[UInt8]] {
      let result = try run([], input: input)
      #expect(result.status == 1)
      #expect(result.errors.hasPrefix("capnpc-swift-gen: error: "))
      #expect(result.output.isEmpty)
    }
  }

  @Test func unknownArgumentsAreErrors() throws {
    let result = try run(["--frobnicate"])
    #expect(result.status == 1)
    #expect(result.errors.contains("unknown argument '--frobnicate'"))
  }
}
