import CapnProto
import CapnProtoSchema
import Foundation

/// Runs the schema compiler `capnp`.
struct SchemaCompiler {
  /// The folders in which imports that start with '/' are searched.
  let importPaths: [String]

  /// The schema of a file, and the file's id.
  ///
  /// What is wrong with the schema, the schema compiler writes to the standard error.
  ///
  /// - Throws: `CommandFailure.schema`.
  func load(_ path: String) throws -> (schema: Schema, file: UInt64) {
    let type =
      try? FileManager.default.attributesOfItem(
        atPath: URL(filePath: path).resolvingSymlinksInPath().path)[.type] as? FileAttributeType
    // The schema compiler maps the file into memory: with a pipe it waits without an end.
    guard type == nil || type == .typeRegular else {
      throw CommandFailure.schema(
        type == .typeDirectory
          ? "\(path) is a directory: expected the file of a schema"
          : "\(path) is not a regular file, and the schema compiler reads no other")
    }
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw CommandFailure.schema("\(path): the file cannot be read")
    }
    let result = try run(importPaths.map { "-I\($0)" } + [path], errors: nil)
    // It has said what is wrong, with file, line and column.
    guard let request = result else {
      throw CommandFailure.schema("\(path) is no valid schema")
    }
    return try Self.schema(request, path)
  }

  /// The struct that an expression of the schema language names in the scope of the file: the name
  /// of a struct or of an alias, with what its type parameters are bound to.
  ///
  /// - Throws: `CommandFailure.schema`.
  func structure(_ expression: TypeExpression, in path: String) throws -> StructSchema {
    // Aliases are not in what the schema compiler makes of a file. A field can have any type.
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "type.capnp").path
    let imported = URL(filePath: path).standardizedFileURL.path
      .replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    let source = """
      @0xe51aec1f4d2c4f4b;
      using File = import "\(imported)";
      struct Message { value @0 :\(expression.qualified(by: "File")); }
      """
    try Data(source.utf8).write(to: URL(filePath: file))
    let errors = folder.appending(path: "errors").path
    let result = try run(
      importPaths.map { "-I\($0)" } + ["-I/", "--src-prefix=\(folder.path)", file], errors: errors)
    guard let request = result else {
      let said = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
      let reason = said.split(separator: "error: ", maxSplits: 1).dropFirst().first
        .map { $0.prefix { !$0.isNewline } }
      throw CommandFailure.schema(
        "\(path): there is no struct '\(expression.text)'" + (reason.map { ": \($0)" } ?? ""))
    }
    let (schema, id) = try Self.schema(request, path)
    guard let message = schema.structure(named: "Message", in: id),
      let field = message.field("value"), let type = message.type(of: field)
    else { throw CommandFailure.schema("\(path): the schema compiler left the type out") }
    guard case .structure(let structureID, let brand) = type,
      let structure = schema.structure(structureID, brand: brand)
    else {
      throw CommandFailure.schema(
        "\(path): '\(expression.text)' is \(schema.name(of: type)), which is not a struct")
    }
    return structure
  }

  private static func schema(
    _ bytes: [UInt8], _ path: String
  ) throws -> (schema: Schema, file: UInt64) {
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

  /// Runs the schema compiler, and returns its request to a plugin; nil where it has found mistakes,
  /// which it writes to the file, or else to the standard error.
  private func run(_ arguments: [String], errors: String?) throws -> [UInt8]? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // A child that waits, say for a file on a slow disk, does not stay behind when this process is
    // ended by a signal.
    let isTied = Self.finds("setpriv")
    process.arguments =
      (isTied ? ["setpriv", "--pdeathsig", "KILL", "--"] : []) + ["capnp", "compile", "-o-"]
      + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    let bytes: Data
    do {
      if let errors {
        try Data().write(to: URL(filePath: errors))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errors))
      }
      try process.run()
      bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    } catch {
      throw CommandFailure.schema("the schema compiler cannot be run: \(error.inWords)")
    }
    process.waitUntilExit()
    switch (process.terminationReason, process.terminationStatus) {
    case (.exit, 0): return Array(bytes)
    case (.exit, 127):
      throw CommandFailure.schema(
        "the schema compiler 'capnp' is not installed (apt-get install capnproto)")
    case (.uncaughtSignal, let signal):
      throw CommandFailure.schema("the schema compiler was ended by signal \(signal)")
    default: return nil
    }
  }

  private static func finds(_ program: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
    }
  }
}
