import CapnProto
import CapnProtoCodeGen
import CapnProtoSchema
import Foundation

/// Compiles schemas given as text and hands the request to the generator.
struct Compiler: ~Copyable {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "capnp-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// A generator for schemas; the first one is on the command line.
  func generator(
    _ schemas: KeyValuePairs<String, String>, requested: Int = 1,
    options: CodeGeneratorOptions = CodeGeneratorOptions()
  ) throws -> CodeGenerator {
    for (name, text) in schemas {
      let file = folder.appending(path: name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let names = schemas.prefix(requested).map { folder.appending(path: $0.key).path() }
    let root = folder.path()
    let bytes = try run(
      ["compile", "-o-", "--src-prefix=\(root)", "-I\(root)", "-I\(Self.standard)"] + names)
    let message = try MessageReader(flat: bytes)
    let request: CodeGeneratorRequest.Reader = try message.root()
    return CodeGenerator(try SchemaRequest(request, options: options), options: options) { name in
      schemas.first { $0.key == name }.map { ($0.key, $0.value) }
    }
  }

  /// The folder of the annotations that this package brings.
  private static let standard = URL(filePath: #filePath).appending(path: "../../../include")
    .standardizedFileURL.path()

  /// A generator for a schema that is there already.
  func generator(file: String, prefix: String) throws -> CodeGenerator {
    let bytes = try run(["compile", "-o-", "--src-prefix=\(prefix)", file])
    let message = try MessageReader(flat: bytes)
    return CodeGenerator(try SchemaRequest(try message.root()))
  }

  /// What the Swift compiler says of the source files of a module, with the settings of the package's
  /// targets.
  func diagnostics(of sources: String..., lifetimes: Bool = true) throws -> String {
    try swiftc(["-typecheck"], "Output", sources, lifetimes: lifetimes)
  }

  /// What the Swift compiler says of a source file that imports the other as the module `Output`, once
  /// it has found out how long the values in it live.
  func diagnostics(of client: String, importing source: String) throws -> String {
    let module = folder.appending(path: "Output.swiftmodule").path()
    return try swiftc(["-emit-module", "-emit-module-path", module], "Output", [source])
      + swiftc(["-emit-sil", "-o", "/dev/null"], "Client", [client])
  }

  private func swiftc(
    _ mode: [String], _ module: String, _ sources: [String], lifetimes: Bool = true
  ) throws -> String {
    let files = try sources.enumerated().map { index, source in
      let file = folder.appending(path: "\(module)\(index == 0 ? "" : "\(index)").swift")
      try Data(source.utf8).write(to: file)
      return file.path()
    }
    // Built beside the tests.
    let modules = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appending(path: "Modules")
    let features = ["ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility"]
    let options =
      ["-parse-as-library", "-swift-version", "6", "-strict-memory-safety", "-module-name", module]
      + (lifetimes ? ["-enable-experimental-feature", "Lifetimes"] : [])
      + features.flatMap { ["-enable-upcoming-feature", $0] }
      + ["-I", modules.path(percentEncoded: false), "-I", folder.path()] + files
    return try Self.run("swiftc", mode + options).errors
  }

  private func run(_ arguments: [String]) throws -> [UInt8] {
    let result = try Self.run("capnp", arguments)
    guard result.status == 0 else { throw CompilerError(arguments: arguments) }
    return result.output
  }

  private static func run(
    _ command: String, _ arguments: [String]
  ) throws -> (status: Int32, output: [UInt8], errors: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [command] + arguments
    let output = Pipe()
    // A file holds what it says however long that is.
    let errors = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data().write(to: errors)
    defer { try? FileManager.default.removeItem(at: errors) }
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let text = try Data(contentsOf: errors)
    return (process.terminationStatus, Array(bytes), String(decoding: text, as: UTF8.self))
  }
}

struct CompilerError: Error {
  let arguments: [String]
}
