import CapnProto
import CapnProtoSchema
import Foundation

/// The `capnp` command, which is the C++ implementation.
enum Oracle {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// The folder of the tests' schemas.
  static let schemas =
    URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Schemas").path(percentEncoded: false) + "/"

  /// Runs the command with the bytes on its standard input.
  static func run(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Files, as pipes fill up while nobody reads.
    let names = ["in", "out", "errors"].map { folder.appending(path: $0) }
    try Data(input).write(to: names[0])
    for name in names[1...] { try Data().write(to: name) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["capnp"] + arguments
    process.standardInput = try FileHandle(forReadingFrom: names[0])
    process.standardOutput = try FileHandle(forWritingTo: names[1])
    process.standardError = try FileHandle(forWritingTo: names[2])
    try process.run()
    process.waitUntilExit()
    let errors = String(decoding: try Data(contentsOf: names[2]), as: UTF8.self)
    // Some errors do not change the command's status.
    guard process.terminationStatus == 0, !errors.contains("ERROR") else {
      throw Failure(description: "capnp \(arguments): \(errors)")
    }
    return Array(try Data(contentsOf: names[1]))
  }

  /// Converts messages of a type of a schema between forms.
  static func convert(
    _ forms: String, _ schema: String, _ type: String, _ input: [UInt8], options: [String] = []
  ) throws -> [UInt8] {
    try run(["convert", "--quiet", forms] + options + [schemas + schema, type], input: input)
  }

  /// The request that the schema compiler makes of the file.
  static func request(_ path: String, importing folder: String = schemas) throws -> [UInt8] {
    try run(["compile", "-o-", "-I\(folder)", "--src-prefix=\(folder)", path])
  }

  /// The schema of a file of the tests, and the file's id.
  static func schema(_ name: String) throws -> (schema: Schema, file: UInt64) {
    try load(try request(schemas + name))
  }

  /// The schema of a source, and the file's id.
  static func schema(source: String) throws -> (schema: Schema, file: UInt64) {
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString + ".capnp")
    try Data(source.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try load(try request(file.path(percentEncoded: false)))
  }

  static func load(_ request: [UInt8]) throws -> (schema: Schema, file: UInt64) {
    let message = try MessageReader(flat: request)
    let request: CodeGeneratorRequest.Reader = try message.root()
    var loader = SchemaLoader()
    try loader.add(request)
    let files = try request.requestedFiles
    return (try loader.schema(), files[0].id)
  }

  /// A struct of `everything.capnp`.
  static func everything(_ type: String = "Everything") throws -> StructSchema {
    let (schema, file) = try everythingSchema.get()
    guard let structure = schema.structure(named: type, in: file) else {
      throw Failure(description: "no struct \(type)")
    }
    return structure
  }

  static let everythingSchema = Result { try schema("everything.capnp") }
}

extension [UInt8] {
  var text: String { String(decoding: self, as: UTF8.self) }
}
