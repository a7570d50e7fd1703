extension FileEmitter {
  func emitInterface(_ node: SchemaNode, _ interface: SchemaInterface, name: String) throws {
    try types.inScope(of: node.id) {
      try out.block("public enum \(SwiftName.escaped(name))") {
        emitDescription(node, interface)
        for method in interface.methods {
          out.line()
          out.line("/// A call of `\(method.name)` as a server sees it.")
          out.line("public typealias \(TypeNames.callName(method)) = \(callContext(method))")
        }
        out.line()
        emitClient(node, interface, name: name)
        out.line()
        emitServer(node, interface, name: name)
        out.line()
        emitDispatch(node, interface)
        try emitChildren(of: node)
      }
    }
    emitServerDefaults(node, interface)
  }

  private func emitDescription(_ node: SchemaNode, _ interface: SchemaInterface) {
    let methods = interface.methods.map { Literal.string($0.name) }.joined(separator: ", ")
    let parents = interface.superclasses.map { "\(types.type($0))._interface" }
    out.line("/// The interface as diagnoses name it.")
    out.line("public static let _interface = InterfaceDescription(")
    out.line("  id: \(Literal.hexadecimal(node.id)), name: \(Literal.string(node.displayName)),")
    out.line("  methods: [\(methods)], superinterfaces: [\(parents.joined(separator: ", "))])")
  }

  private func callContext(_ method: SchemaInterface.Method) -> String {
    "CallContext<\(types.type(method.parameters, "Reader")), "
      + "\(types.type(method.results, "Builder"))>"
  }
}

/// An interface that another inherits from, or the interface itself.
struct Ancestor {
  let node: SchemaNode
  let interface: SchemaInterface
}

extension FileEmitter {
  /// All interfaces that one inherits from, each once, in the order of the source and depth first.
  func ancestors(of id: UInt64) -> [Ancestor] {
    var found: [Ancestor] = []
    var visited: Set<UInt64> = [id]
    func visit(_ id: UInt64) {
      for parent in request.nodes[id]?.interface?.superclasses ?? []
      where visited.insert(parent).inserted {
        guard let node = request.nodes[parent], let interface = node.interface else { continue }
        found.append(Ancestor(node: node, interface: interface))
        visit(parent)
      }
    }
    visit(id)
    return found
  }

  /// The name of a method where its interface declares it.
  ///
  /// A method that has the name of an inherited one is told from it by its interface's name, as an
  /// object implements both.
  func methodName(_ method: SchemaInterface.Method, of id: UInt64) -> String {
    let name = SwiftName.method(method.name)
    return inheritsMethod(method, of: id) ? name + interfaceName(id) : name
  }

  /// Whether an ancestor has a method of the same name.
  func inheritsMethod(_ method: SchemaInterface.Method, of id: UInt64) -> Bool {
    ancestors(of: id).contains { $0.interface.methods.contains { $0.name == method.name } }
  }

  func interfaceName(_ id: UInt64) -> String { names.paths[id]?.last ?? "" }
}
