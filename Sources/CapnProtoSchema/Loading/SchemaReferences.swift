/// Checks what the nodes of a schema say of one another.
struct SchemaReferences {
  private let nodes: [UInt64: SchemaNode]
  /// The fields that name each group: exactly one may.
  private let groupUses: [UInt64: Int]

  init(nodes: [UInt64: SchemaNode]) {
    self.nodes = nodes
    var uses: [UInt64: Int] = [:]
    for node in nodes.values {
      for field in node.structure?.fields ?? [] {
        if case .group(let id) = field.kind { uses[id, default: 0] += 1 }
      }
    }
    groupUses = uses
  }

  func check(_ node: SchemaNode) throws {
    try checkScopes(node)
    switch node.kind {
    case .file: break
    case .structure(let structure): try check(structure, of: node)
    case .enumeration: break
    case .interface(let interface): try check(interface, of: node)
    case .constant(let type, _), .annotation(let type): try check(type)
    }
  }

  /// Levels of scopes, groups among them, and superclasses of an interface, in all. The C++
  /// implementation allows as many superclasses.
  private static var most: Int { 64 }

  /// Follows the scopes outwards; those that are not loaded end the way.
  private func checkScopes(_ node: SchemaNode) throws {
    var id = node.scope
    for _ in 0..<Self.most {
      guard id != node.id else { throw SchemaError.Problem.cycle }
      guard let scope = nodes[id] else { return }
      id = scope.scope
    }
    throw SchemaError.Problem.nestedTooDeep
  }

  private func check(_ structure: StructNode, of node: SchemaNode) throws {
    for field in structure.fields {
      try naming(field.name) {
        switch field.kind {
        case .slot(let slot): try check(slot.type)
        case .group(let id): try checkGroup(id, of: structure)
        }
      }
    }
    guard structure.isGroup else {
      try checkOrdinals(structure)
      return
    }
    // A group that no field names, or whose field is its own, would have no struct around it.
    guard nodes[node.scope]?.structure != nil else {
      throw SchemaError.Problem.foreignGroup(node.id)
    }
  }

  private func checkGroup(_ id: UInt64, of structure: StructNode) throws {
    guard let node = nodes[id] else { throw SchemaError.Problem.missingNode(id) }
    guard let group = node.structure, group.isGroup else {
      throw SchemaError.Problem.nodeOfOtherKind(id, expected: "group")
    }
    // As scopes have no cycles, groups that name their parent as scope have none.
    guard node.scope == structure.id, groupUses[id] == 1, group.layout == structure.layout else {
      throw SchemaError.Problem.foreignGroup(id)
    }
  }

  /// Numbers are counted over a struct and all its groups.
  private func checkOrdinals(_ structure: StructNode) throws {
    var seen: Set<UInt16> = []
    var pending = [structure]
    while let next = pending.popLast() {
      for field in next.fields {
        if let ordinal = field.ordinal, !seen.insert(ordinal).inserted {
          throw MemberProblem(member: field.name, .duplicateOrdinal(ordinal))
        }
        // A group of two fields, which is refused where it is named, might lead to itself.
        if case .group(let id) = field.kind, groupUses[id] == 1, let group = nodes[id]?.structure {
          pending.append(group)
        }
      }
    }
  }

  private func check(_ interface: InterfaceNode, of node: SchemaNode) throws {
    for method in interface.methods {
      try naming(method.name) {
        try checkStructure(method.parameters, method.parameterBrand)
        try checkStructure(method.results, method.resultBrand)
      }
    }
    for superclass in interface.superclasses {
      guard let other = nodes[superclass.id] else {
        throw SchemaError.Problem.missingNode(superclass.id)
      }
      guard other.interface != nil else {
        throw SchemaError.Problem.nodeOfOtherKind(superclass.id, expected: "interface")
      }
      try check(superclass.brand)
    }
    var seen: Set<UInt64> = []
    var pending = interface.superclasses.map(\.id)
    while let id = pending.popLast() {
      guard id != node.id else { throw SchemaError.Problem.cycle }
      guard seen.count + pending.count < Self.most else { throw SchemaError.Problem.nestedTooDeep }
      guard seen.insert(id).inserted else { continue }
      pending += nodes[id]?.interface?.superclasses.map(\.id) ?? []
    }
  }

  private func checkStructure(_ id: UInt64, _ brand: SchemaBrand) throws {
    guard let node = nodes[id] else { throw SchemaError.Problem.missingNode(id) }
    guard let structure = node.structure, !structure.isGroup else {
      throw SchemaError.Problem.nodeOfOtherKind(id, expected: "struct")
    }
    try check(brand)
  }

  private func check(_ type: SchemaType) throws {
    switch type {
    case .list(let element): try check(element)
    case .structure(let id, let brand): try checkStructure(id, brand)
    case .enumeration(let id):
      guard let node = nodes[id] else { throw SchemaError.Problem.missingNode(id) }
      guard node.enumeration != nil else {
        throw SchemaError.Problem.nodeOfOtherKind(id, expected: "enum")
      }
    case .interface(let id, let brand):
      guard let node = nodes[id] else { throw SchemaError.Problem.missingNode(id) }
      guard node.interface != nil else {
        throw SchemaError.Problem.nodeOfOtherKind(id, expected: "interface")
      }
      try check(brand)
    case .parameter(let scope, let index):
      // The scope may be a node that is not loaded: then nothing binds it, and it is AnyPointer.
      if let node = nodes[scope], Int(index) >= node.parameters.count {
        throw SchemaError.Problem.invalidParameter(scope: scope, index: index)
      }
    default: break
    }
  }

  private func check(_ brand: SchemaBrand) throws {
    for (id, scope) in brand.scopes {
      guard case .bind(let types) = scope else { continue }
      if let node = nodes[id], types.count > node.parameters.count {
        throw SchemaError.Problem.invalidParameter(
          scope: id, index: UInt16(truncatingIfNeeded: node.parameters.count))
      }
      for type in types {
        guard type.isPointer else { throw SchemaError.Problem.parameterNotPointer }
        try check(type)
      }
    }
  }

  private func naming(_ member: String, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let problem as SchemaError.Problem {
      throw MemberProblem(member: member, problem)
    }
  }
}
