import ArgumentParser
import CapnProto
import CapnProtoSchema
import Foundation

/// Where schemas are looked for.
struct SchemaOptions: ParsableArguments {
  @Option(
    name: [.customShort("I", allowingJoined: true), .customLong("import-path")],
    help: "Add a folder to those that imports that start with '/' are searched in.")
  var importPaths: [String] = []

  /// The schema of a file, read by the schema compiler, and the file's id.
  func load(_ path: String) throws -> (schema: Schema, file: UInt64) {
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw CommandFailure.schema("\(path): the file cannot be read")
    }
    let bytes = try compile(path)
    do {
      let message = try MessageReader(
        flat: bytes, frameLimits: FrameLimits(words: .max, segments: 512),
        limits: ReaderLimits(traversalWords: .max, nestingDepth: 256))
      let request: CodeGeneratorRequest.Reader = try message.root()
      var loader = SchemaLoader()
      try loader.add(request)
      let files = try request.requestedFiles
      guard files.count > 0 else {
        throw CommandFailure.schema("\(path): the schema compiler names no file")
      }
      return (try loader.schema(), files[0].id)
    } catch let error as CommandFailure {
      throw error
    } catch {
      throw CommandFailure.schema("\(path): \(error)")
    }
  }

  /// The struct of the name in the file.
  func structure(_ name: String, in path: String) throws -> StructSchema {
    let (schema, file) = try load(path)
    guard let structure = schema.structure(named: name, in: file) else {
      throw CommandFailure.schema("\(path): there is no struct '\(name)'")
    }
    return structure
  }

  private func compile(_ path: String) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["capnp", "compile", "-o-"] + importPaths.map { "-I\($0)" } + [path]
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    switch process.terminationStatus {
    case 0: return Array(bytes)
    case 127:
      throw CommandFailure.schema(
        "the schema compiler 'capnp' is not installed (apt-get install capnproto)")
    // It has said what is wrong, with file, line and column.
    default: throw CommandFailure.schema("\(path) is no valid schema")
    }
  }
}
