extension Schema {
  /// How much a name says of a node.
  enum NameDetail: CaseIterable {
    /// The scopes in its file: `Outer.Inner`.
    case scopes
    /// The file, too: `file.capnp:Outer.Inner`.
    case file
    /// The id, too: `file.capnp:Outer.Inner (0x9eb32e19f86ee174)`.
    case id
  }

  /// The type as the schema language has it, with nodes by their names and files, as in
  /// `List(addressbook.capnp:Person)`.
  public func name(of type: SchemaType) -> String { name(of: type, .file) }

  func name(of type: SchemaType, _ detail: NameDetail) -> String {
    name(of: type, detail, levels: Self.bindingLevels)
  }

  /// The bindings of a generic type that contains itself may be many: they are named to this depth.
  private static var bindingLevels: Int { 4 }

  private func name(of type: SchemaType, _ detail: NameDetail, levels: Int) -> String {
    switch type {
    case .list(let element): "List(\(name(of: element, detail, levels: levels)))"
    case .enumeration(let id): name(of: id, .unbound, detail, levels: levels)
    case .structure(let id, let brand), .interface(let id, let brand):
      name(of: id, brand, detail, levels: levels)
    case .parameter(let scope, let index):
      nodes[scope].flatMap { Int(index) < $0.parameters.count ? $0.parameters[Int(index)] : nil }
        ?? "\(type)"
    default: "\(type)"
    }
  }

  /// The names of the node and the scopes around it, each with what its parameters are bound to.
  private func name(
    of id: UInt64, _ brand: SchemaBrand, _ detail: NameDetail, levels: Int
  ) -> String {
    let hex = "0x" + String(id, radix: 16)
    guard let node = nodes[id] else { return hex }
    let display = node.displayName.split(separator: ":", maxSplits: 1).map(String.init)
    let file = display.count > 1 ? display[0] + ":" : ""
    var names: [String] = []
    var next: SchemaNode? = node
    // Scopes have no cycles in a loaded schema.
    while let scope = next, scope.kind != .file {
      // A struct of parameters has no scope, but a display name with all of it.
      names.append(
        (scope.scope == 0 ? display.last ?? scope.name : scope.name)
          + bindings(brand.scopes[scope.id], detail, levels: levels))
      next = nodes[scope.scope]
    }
    let path = names.reversed().joined(separator: ".")
    switch detail {
    case .scopes: return path
    case .file: return file + path
    case .id: return "\(file)\(path) (\(hex))"
    }
  }

  private func bindings(
    _ scope: SchemaBrand.Scope?, _ detail: NameDetail, levels: Int
  ) -> String {
    guard case .bind(let types) = scope, !types.isEmpty else { return "" }
    guard levels > 0 else { return "(…)" }
    return "(" + types.map { name(of: $0, detail, levels: levels - 1) }.joined(separator: ", ")
      + ")"
  }
}
