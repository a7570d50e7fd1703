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
    _ schemas: KeyValuePairs<String, String>, requested: Int = 1
  ) throws -> CodeGenerator {
    for (name, text) in schemas {
      try Data(text.utf8).write(to: folder.appending(path: name))
    }
    let names = schemas.prefix(requested).map { folder.appending(path: $0.key).path() }
    let root = folder.path()
    let bytes = try run(["compile", "-o-", "--src-prefix=\(root)", "-I\(root)"] + names)
    let message = try MessageReader(flat: bytes)
    let request: CodeGeneratorRequest.Reader = try message.root()
    return CodeGenerator(try SchemaRequest(request)) { name in
      schemas.first { $0.key == name }.map { ($0.key, $0.value) }
    }
  }

  private func run(_ arguments: [String]) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["capnp"] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CompilerError(arguments: arguments) }
    return Array(bytes)
  }
}

struct CompilerError: Error {
  let arguments: [String]
}
