import ArgumentParser
import CapnProtoSchema

/// Where schemas are looked for.
struct SchemaOptions: ParsableArguments {
  @Option(
    name: [.customShort("I", allowingJoined: true), .customLong("import-path")],
    help: "Add a folder to those that imports that start with '/' are searched in.")
  var importPaths: [String] = []

  /// The schema of a file, read by the schema compiler, and the file's id.
  func load(_ path: String) throws -> (schema: Schema, file: UInt64) {
    try SchemaCompiler(importPaths: importPaths).load(path)
  }

  /// The struct that the expression names in the file: by its name as Outer.Inner, by an alias, or
  /// as a generic type with its parameters.
  func structure(_ name: String, in path: String) throws -> StructSchema {
    let (schema, file) = try load(path)
    if let structure = schema.structure(named: name, in: file) { return structure }
    return try SchemaCompiler(importPaths: importPaths)
      .structure(TypeExpression(parsing: name), in: path)
  }
}
