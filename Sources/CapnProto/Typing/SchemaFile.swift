/// What a schema file declares, as generated code carries it: for programs that look at schemas at
/// run time.
///
/// The declarations are kept as the schema compiler wrote them, and cost nothing until they are
/// asked for.
public final class SchemaFile: Sendable {
  /// The id of the file in the schema language.
  public let id: UInt64
  /// The file's name, as it was given to the schema compiler.
  public let name: String
  private let importedFiles: @Sendable () -> [SchemaFile]
  private let encoded: StaticString

  /// What the generator found.
  ///
  /// - Parameters:
  ///   - id: the id of the file.
  ///   - name: its name.
  ///   - imports: the files that it imports; asked for late, since files may import each other.
  ///   - nodes: a packed message in Base64, whose root is a list of pointers to `Node`s of schema.capnp.
  public init(
    id: UInt64, name: String, imports: @Sendable @autoclosure @escaping () -> [SchemaFile],
    nodes: StaticString
  ) {
    self.id = id
    self.name = name
    importedFiles = imports
    encoded = nodes
  }

  /// The files that this one imports, but for those that declare annotations only.
  public var imports: [SchemaFile] { importedFiles() }

  /// A message whose root is a list of pointers: each leads to a `Node` of schema.capnp, one for
  /// every declaration of the file, in the order of their ids.
  ///
  /// - Throws: ``FramingError`` if the generator's text was changed.
  public func nodes() throws -> MessageReader {
    try MessageReader(packed: Base64.decode(Array(encoded.description.utf8)) ?? [])
  }
}

/// A type of a schema that knows what the schema says of it.
public protocol DescribedType {
  /// The id of the type in the schema language.
  static var _typeID: UInt64 { get }
  /// The file that declares the type.
  static var _schemaFile: SchemaFile { get }
}
