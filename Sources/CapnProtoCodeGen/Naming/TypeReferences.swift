/// Spells references to types from where the output stands.
///
/// A reference is the full path from the top level. Where its first name means something else,
/// because a scope around has a type of that name, an alias at the top level stands for it.
final class TypeReferences {
  private let names: TypeNames
  private var scopes: [UInt64] = []
  /// The aliases used so far and what they stand for.
  private(set) var aliases: [String: String] = [:]

  init(_ names: TypeNames) { self.names = names }

  /// Runs the body inside the scope of a node.
  func inScope<Failure>(
    of id: UInt64, _ body: () throws(Failure) -> Void
  ) throws(Failure) {
    scopes.append(id)
    defer { scopes.removeLast() }
    try body()
  }

  /// The node's type, or a type inside it.
  func type(_ id: UInt64, _ member: String? = nil) -> String {
    let path = names.paths[id] ?? ["Never"]
    var name = path.joined(separator: ".")
    if scopes.contains(where: { names.membersOfScope($0).contains(path[0]) }) {
      let alias = "_" + path.joined(separator: "_") + "_" + Hexadecimal.digits(id)
      aliases[alias] = name
      name = alias
    }
    return member.map { "\(name).\($0)" } ?? name
  }

  /// The type of a field in a reader, or of an element of a list that is read.
  func reader(_ type: SchemaType) -> String {
    switch type {
    case .text: "TextReader"
    case .data: "DataReader"
    case .list(let element): "ListReader<\(reader(element))>"
    case .structure(let id): self.type(id, "Reader")
    case .anyPointer: "AnyPointerReader"
    default: common(type)
    }
  }

  /// The type of an element of a list that is built, or of a field that is a struct or list.
  func builder(_ type: SchemaType) -> String {
    switch type {
    case .text: "TextType"
    case .data: "DataType"
    case .list(let element): "ListBuilder<\(builder(element))>"
    case .structure(let id): self.type(id, "Builder")
    case .anyPointer: "AnyPointerBuilder"
    default: common(type)
    }
  }

  private func common(_ type: SchemaType) -> String {
    switch type {
    case .void: "VoidValue"
    case .bool: "Bool"
    case .int8: "Int8"
    case .int16: "Int16"
    case .int32: "Int32"
    case .int64: "Int64"
    case .uint8: "UInt8"
    case .uint16: "UInt16"
    case .uint32: "UInt32"
    case .uint64: "UInt64"
    case .float32: "Float"
    case .float64: "Double"
    case .enumeration(let id): self.type(id)
    case .interface(let id): self.type(id, "Client")
    case .capability: "Capability"
    default: "Never"
    }
  }
}
