import CapnProtoSchema

/// Spells references to types from where the output stands.
///
/// A reference is the full path from the top level. Where its first name means something else,
/// because a scope around has a type of that name, an alias at the top level stands for it. A type
/// of another module is named with its module.
///
/// Type parameters are bound to types by name (see `PointerType` of the runtime). Namespaces have
/// no parameters; the types inside them, such as `Reader`, have those of all scopes around.
final class TypeReferences {
  private let names: TypeNames
  private let modules: SchemaModules
  private var scopes: [UInt64] = []
  /// What the type parameters in sight stand for, innermost last.
  private var bindings: [[TypeParameter.ID: String]] = [[:]]
  /// What the method's own type parameters stand for.
  private var implicit: [String] = []
  private let file: UInt64
  /// The aliases used so far and what they stand for.
  private(set) var aliases: [String: String] = [:]
  /// The modules whose types were named.
  private(set) var usedModules: Set<String> = []

  init(_ names: TypeNames, _ modules: SchemaModules, file: UInt64) {
    self.names = names
    self.modules = modules
    self.file = file
  }

  /// Runs the body inside the scope of a node, where its type parameters stand for themselves.
  func inScope<Failure>(
    of id: UInt64, _ body: () throws(Failure) -> Void
  ) throws(Failure) {
    scopes.append(id)
    defer { scopes.removeLast() }
    let own = (names.parameters[id] ?? []).map { ($0.id, $0.name) }
    try binding(Dictionary(own) { first, _ in first }, body)
  }

  /// Runs the body where the type parameters stand for the types.
  func binding<Failure, Value>(
    _ types: [TypeParameter.ID: String], _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    bindings.append(types)
    defer { bindings.removeLast() }
    return try body()
  }

  /// Runs the body where the method's own type parameters stand for the types.
  func bindingImplicit<Failure, Value>(
    _ types: [String], _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    implicit = types
    defer { implicit = [] }
    return try body()
  }

  /// The node's namespace or enum.
  func namespace(_ id: UInt64) -> String {
    let path = names.paths[id] ?? ["Never"]
    let name = path.joined(separator: ".")
    if let module = modules.module(of: names.file(of: id), from: file) {
      usedModules.insert(module)
      return "\(module)::\(name)"
    }
    guard scopes.contains(where: { hides(path[0], $0) }) else { return name }
    // Two files of a module may need an alias of the same type.
    let home = names.file(of: id) == file ? "" : "_" + Hexadecimal.digits(file)
    let alias = "_" + path.joined(separator: "_") + "_" + Hexadecimal.digits(id) + home
    aliases[alias] = name
    return alias
  }

  /// A constant at the top level of a file's bindings.
  func topLevel(_ name: String, of file: UInt64) -> String {
    guard let module = modules.module(of: file, from: self.file) else { return name }
    usedModules.insert(module)
    return "\(module)::\(name)"
  }

  /// A type inside the node's namespace; without a brand, type parameters stand for themselves.
  func type(_ id: UInt64, _ member: String, _ brand: SchemaBrand? = nil) -> String {
    "\(namespace(id)).\(member)\(arguments(id, brand))"
  }

  /// What the type parameters of a node are bound to by a brand, as a list in angle brackets.
  func arguments(_ id: UInt64, _ brand: SchemaBrand? = nil) -> String {
    let bound = boundTypes(id, brand)
    return bound.isEmpty ? "" : "<\(bound.map(\.type).joined(separator: ", "))>"
  }

  /// What each of the type parameters of a node is bound to by a brand.
  func boundTypes(
    _ id: UInt64, _ brand: SchemaBrand?
  ) -> [(parameter: TypeParameter, type: String)] {
    (names.parameters[id] ?? []).map { parameter in
      (parameter, brand.map { name($0.binding(of: parameter.id)) } ?? standing(parameter.id))
    }
  }

  /// The type parameters of a node as a declaration has them.
  func parameterClause(_ id: UInt64) -> String {
    let parameters = (names.parameters[id] ?? []).map { "\($0.name): PointerType" }
    return parameters.isEmpty ? "" : "<\(parameters.joined(separator: ", "))>"
  }

  /// The type by name, as type parameters are bound to it.
  func name(_ type: SchemaType) -> String {
    switch type {
    case .text: "TextType"
    case .data: "DataType"
    case .list(let element): "ListType<\(name(element))>"
    case .structure(let id, let brand), .interface(let id, let brand):
      names.parameters[id] == nil ? namespace(id) : self.type(id, "Of", brand)
    case .anyPointer(.capability): "Capability"
    case .anyPointer: Self.unbound
    case .parameter(let scope, let index):
      standing(TypeParameter.ID(scope: scope, index: Int(index)))
    case .implicitParameter(let index):
      implicit.indices.contains(Int(index)) ? implicit[Int(index)] : Self.unbound
    default: common(type)
    }
  }

  /// The type of a field in a reader.
  func reader(_ type: SchemaType) -> String {
    switch type {
    case .text: "TextReader"
    case .data: "DataReader"
    case .list(let element): "ListReader<\(elementReader(element))>"
    case .structure(let id, let brand): self.type(id, "Reader", brand)
    case .anyPointer(.any): "AnyPointerReader"
    case .anyPointer(.structure): "StructReader"
    case .anyPointer(.list): "AnyListReader"
    case .parameter, .implicitParameter: "\(name(type)).Reader"
    default: common(type)
    }
  }

  /// The type of an element of a list that is read.
  func elementReader(_ type: SchemaType) -> String {
    switch type {
    case .parameter, .implicitParameter: "\(name(type)).ElementReader"
    default: reader(type)
    }
  }

  /// The type of an element of a list that is built, or of a field that is a struct or list.
  func builder(_ type: SchemaType) -> String {
    switch type {
    case .text: "TextType"
    case .data: "DataType"
    case .list(let element): "ListBuilder<\(builder(element))>"
    case .structure(let id, let brand): self.type(id, "Builder", brand)
    case .anyPointer(.any): "AnyPointerBuilder"
    case .anyPointer(.structure): "StructBuilder"
    case .anyPointer(.list): "AnyListBuilder"
    case .parameter, .implicitParameter: "\(name(type)).ElementBuilder"
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
    case .enumeration(let id): namespace(id)
    case .interface(let id, let brand): self.type(id, "Client", brand)
    case .anyPointer(.capability): "Capability"
    default: "Never"
    }
  }

  /// What a type parameter in sight stands for.
  private func standing(_ parameter: TypeParameter.ID) -> String {
    bindings.last?[parameter] ?? Self.unbound
  }

  /// Whether a name at the top level means something else inside the scope.
  private func hides(_ name: String, _ scope: UInt64) -> Bool {
    names.membersOfScope(scope).contains(name)
      || names.parameters[scope]?.contains { $0.name == name } == true
  }

  private static let unbound = "AnyPointerType"
}
