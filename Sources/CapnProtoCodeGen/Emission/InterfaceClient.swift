extension FileEmitter {
  /// Writes the client. Inherited methods are repeated on it, as a Swift struct inherits nothing;
  /// where two unrelated ancestors have methods of the same name, the later one is told apart by
  /// its interface's name.
  func emitClient(_ node: SchemaNode, _ interface: SchemaInterface, name: String) {
    let ancestors = ancestors(of: node.id)
    let interfaces = [Ancestor(node: node, interface: interface)] + ancestors
    var taken: Set<String> = []
    out.line("/// A reference to a ``\(name)``, wherever it lives.")
    out.block("public struct Client: CapabilityClient") {
      out.line("/// The reference without its type.")
      out.line("public let _capability: Capability")
      out.line()
      out.line("/// Takes the reference for one to a ``\(name)``: nothing is checked.")
      out.line("public init(_capability: Capability) { self._capability = _capability }")
      out.line()
      out.line("/// The interface that the client calls.")
      out.block(
        "public static var _interface: InterfaceDescription", "\(types.type(node.id))._interface")
      for ancestor in interfaces {
        for (ordinal, method) in ancestor.interface.methods.enumerated() {
          var name = methodName(method, of: ancestor.node.id)
          if taken.contains(name) { name += interfaceName(ancestor.node.id) }
          while !taken.insert(name).inserted { name += "_" }
          emitCall(method, ordinal, of: ancestor.node.id, name: name)
        }
      }
      for ancestor in ancestors {
        emitUpcast(ancestor.node.id, &taken)
      }
      out.line()
      out.line("/// A reference to an object of this vat.")
      out.block("public static func server(_ server: some Server) -> Client") {
        let type = types.type(node.id)
        out.line("Client(")
        out.line("  _capability: Capability(serving: server, \(type)._interface) { server, call in")
        out.line("    try await \(type)._dispatch(server, call)")
        out.line("  })")
      }
    }
  }

  private func emitCall(
    _ method: SchemaInterface.Method, _ ordinal: Int, of id: UInt64, name: String
  ) {
    let results = types.type(method.results, "Reader")
    let pipeline =
      pipelines.hasPipeline(method.results)
      ? types.type(method.results, "Pipeline") : "NoPipeline"
    out.line()
    let name = SwiftName.escaped(name)
    let parameters = types.type(method.parameters, "Builder")
    let arguments = "\(types.type(id))._interface, method: \(ordinal)"
    let call = "RemoteCall<\(results), \(pipeline)>"
    out.documentation(method.documentation)
    out.line("public func \(name)(_ build: (\(parameters)) throws -> Void) rethrows")
    out.line("  -> \(call)")
    out.line("{ try _capability.call(\(arguments), build) }")
    // No default for the closure: a call without it would have to be marked with `try`.
    out.line("/// Calls `\(method.name)` with all parameters at their defaults.")
    out.block("public func \(name)() -> \(call)") {
      out.line("_capability.call(\(arguments)) { (_: \(parameters)) in }")
    }
  }

  private func emitUpcast(_ id: UInt64, _ taken: inout Set<String>) {
    var name = "as" + interfaceName(id)
    while !taken.insert(name).inserted { name += "_" }
    let client = types.type(id, "Client")
    out.line()
    out.line("/// The same object as a ``\(names.paths[id]?.joined(separator: ".") ?? "")``.")
    out.block("public var \(name): \(client)", "\(client)(_capability: _capability)")
  }
}
