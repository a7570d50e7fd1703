public import CapnProto

/// Declarations that were loaded and checked, by id: what messages can be read and built by at run
/// time, without generated code.
///
/// Every reference between its nodes leads somewhere of the right kind, and every field lies in its
/// struct, whoever the nodes came from. Made by ``SchemaLoader/schema()``.
public final class Schema: Sendable {
  /// The nodes by id.
  public let nodes: [UInt64: SchemaNode]

  init(nodes: [UInt64: SchemaNode]) { self.nodes = nodes }

  /// The schema of a generated type: what its file declares, and the files that it imports.
  ///
  /// - Throws: as ``SchemaLoader/add(_:)-(SchemaFile)``.
  public static func of(_ type: any DescribedType.Type) throws -> Schema {
    var loader = SchemaLoader()
    try loader.add(type._schemaFile)
    return try loader.schema()
  }

  /// The struct of a generated type; nil where the type is none, or not of this schema.
  public func structure(_ type: any DescribedType.Type) -> StructSchema? {
    structure(type._typeID)
  }

  /// The struct or group with the id, its type parameters bound by the brand; nil where there is
  /// none.
  public func structure(_ id: UInt64, brand: SchemaBrand = .unbound) -> StructSchema? {
    nodes[id]?.structure.map { StructSchema(schema: self, node: $0, brand: brand) }
  }

  /// The struct of that name, as `Outer.Inner`, in the file with the id.
  public func structure(named name: String, in file: UInt64) -> StructSchema? {
    node(named: name, in: file).flatMap { structure($0.id) }
  }

  /// The declaration of that name, as `Outer.Inner`, in the file or other node with the id.
  public func node(named name: String, in scope: UInt64) -> SchemaNode? {
    var node = nodes[scope]
    for part in name.split(separator: ".", omittingEmptySubsequences: false) {
      guard let inner = node?.nested.first(where: { $0.name == part }) else { return nil }
      node = nodes[inner.id]
    }
    return node
  }

  /// The name of the node for people; its id where it is not loaded.
  func displayName(_ id: UInt64) -> String {
    nodes[id]?.displayName ?? "0x" + String(id, radix: 16)
  }
}

/// A struct of a schema, with its type parameters bound.
public struct StructSchema: Sendable {
  /// The declarations that the struct's types are looked up in.
  public let schema: Schema
  /// The struct.
  public let node: StructNode
  /// What the type parameters are bound to.
  public let brand: SchemaBrand

  init(schema: Schema, node: StructNode, brand: SchemaBrand) {
    self.schema = schema
    self.node = node
    self.brand = brand
  }

  /// The name for people.
  public var displayName: String { schema.displayName(node.id) }

  /// The field with the name; nil where there is none.
  public func field(_ name: String) -> SchemaField? { node.field(name) }

  /// The type of a field, with type parameters replaced; nil for groups.
  public func type(of field: SchemaField) -> SchemaType? {
    guard case .slot(let slot) = field.kind else { return nil }
    return slot.type.isPointer ? brand.resolve(slot.type) : slot.type
  }

  /// The group of a field; nil for others.
  public func group(of field: SchemaField) -> StructSchema? {
    guard case .group(let id) = field.kind else { return nil }
    return schema.structure(id, brand: brand)
  }
}
