import CapnProtoSchema

/// An interface that another inherits from, or the interface itself.
struct Ancestor {
  let node: SchemaNode
  let interface: InterfaceNode
  /// What its type parameters are bound to.
  let bindings: [TypeParameter.ID: String]
}

/// Follows what interfaces inherit.
struct Ancestry {
  let request: SchemaRequest
  let types: TypeReferences

  /// All interfaces that one inherits from, each once, in the order of the source and depth first;
  /// in words of the scope that the references stand in.
  func ancestors(of id: UInt64) -> [Ancestor] {
    var visited: Set<UInt64> = [id]
    return paths(from: id, visiting: &visited) { visited, parent in
      visited.insert(parent).inserted
    }
  }

  /// Interfaces that one inherits from in two ways, with different types for their parameters.
  func conflicts(of id: UInt64) -> [SchemaNode] {
    var visited: [UInt64: [String]] = [:]
    var found: [SchemaNode] = []
    // Diamonds on diamonds have more paths than can be followed: each interface is looked into twice
    // at most.
    var visits: [UInt64: Int] = [id: 2]
    for ancestor in paths(
      from: id, visiting: &visits,
      { visits, parent in
        visits[parent, default: 0] += 1
        return visits[parent, default: 0] <= 2
      })
    {
      let bound = ancestor.bindings.sorted {
        ($0.key.scope, $0.key.index) < ($1.key.scope, $1.key.index)
      }.map(\.value)
      if let other = visited[ancestor.node.id], other != bound { found.append(ancestor.node) }
      visited[ancestor.node.id] = bound
    }
    return found
  }

  private func paths<State>(
    from id: UInt64, visiting state: inout State, _ enters: (inout State, UInt64) -> Bool
  ) -> [Ancestor] {
    var found: [Ancestor] = []
    for parent in request.nodes[id]?.interface?.superclasses ?? [] where enters(&state, parent.id) {
      guard let node = request.nodes[parent.id], let interface = node.interface else { continue }
      let bound = types.boundTypes(parent.id, parent.brand).map { ($0.parameter.id, $0.type) }
      let bindings = Dictionary(bound) { first, _ in first }
      found.append(Ancestor(node: node, interface: interface, bindings: bindings))
      found += types.binding(bindings) { paths(from: parent.id, visiting: &state, enters) }
    }
    return found
  }
}

extension FileEmitter {
  /// The name of a method where its interface declares it.
  ///
  /// A method that has the name of an inherited one is told from it by its interface's name, as an
  /// object implements both.
  func methodName(_ method: InterfaceNode.Method, of id: UInt64) -> String {
    if let known = methodNames[id] { return known[method.number] }
    let methods = request.nodes[id]?.interface?.methods ?? []
    let inherited = Set(
      ancestry.ancestors(of: id).flatMap { ancestor in
        ancestor.interface.methods.map { methodName($0, of: ancestor.node.id) }
      })
    var table = NameTable(inherited)
    // What may keep its name does so, whatever is made up for the others.
    var claimed = methods.map { method in
      let name = SwiftName.method(method.swiftName)
      return inherited.contains(name) ? nil : table.claim(name)
    }
    for (number, method) in methods.enumerated() where claimed[number] == nil {
      claimed[number] = table.claim(SwiftName.method(method.swiftName) + interfaceName(id))
    }
    let all = claimed.compactMap { $0 }
    methodNames[id] = all
    return all[method.number]
  }

  /// The names of the calls of all ancestors.
  func inheritedCalls(of id: UInt64) -> Set<String> {
    Set(ancestry.ancestors(of: id).flatMap { names.calls[$0.node.id] ?? [] })
  }

  func interfaceName(_ id: UInt64) -> String {
    String((names.paths[id]?.last ?? "").drop { $0 == "_" })
  }
}
