import CapnProtoSchema

extension FileEmitter {
  /// Writes the client. Inherited methods are repeated on it, as a Swift struct inherits nothing;
  /// where two unrelated ancestors have methods of the same name, the later one is told apart by
  /// its interface's name.
  func emitClient(_ node: SchemaNode, _ interface: InterfaceNode, name: String) {
    let ancestors = ancestry.ancestors(of: node.id)
    let arguments = types.arguments(node.id)
    var table = NameTable()
    func emitCalls(_ interface: InterfaceNode, of id: UInt64) {
      for method in interface.methods {
        let own = methodName(method, of: id)
        let name = table.claim(own, or: own + interfaceName(id))
        emitCall(method, of: id, name: name, client: node.id)
      }
    }
    out.line("/// A reference to a ``\(name)``, wherever it lives.")
    out.block("\(access.visible)struct Client\(types.parameterClause(node.id)): CapabilityClient") {
      out.line("/// The reference without its type.")
      out.line("\(access.visible)let _capability: Capability")
      out.line()
      out.line("/// Takes the reference for one to a ``\(name)``: nothing is checked.")
      out.line("\(access.visible)init(_capability: Capability) { self._capability = _capability }")
      out.line()
      out.line("/// The interface that the client calls.")
      out.block(
        "\(access.visible)static var _interface: InterfaceDescription",
        "\(types.namespace(node.id))._interface")
      emitCalls(interface, of: node.id)
      for ancestor in ancestors {
        types.binding(ancestor.bindings) { emitCalls(ancestor.interface, of: ancestor.node.id) }
      }
      for ancestor in ancestors {
        types.binding(ancestor.bindings) { emitUpcast(ancestor.node.id, &table) }
      }
      out.line()
      out.line("/// A reference to an object of this vat.")
      out.block("\(access.visible)static func server(_ server: some Server\(arguments)) -> Client")
      {
        let type = types.namespace(node.id)
        out.line("Client(")
        out.line("  _capability: Capability(serving: server, \(type)._interface) { server, call in")
        out.line("    try await \(type)._dispatch(server, call)")
        out.line("  })")
      }
      out.line()
      out.line("/// A reference to an object of this vat whose methods are not asynchronous.")
      out.block(
        "\(access.visible)static func server(_ server: some ImmediateServer\(arguments)) -> Client"
      ) {
        let type = types.namespace(node.id)
        out.line("Client(")
        out.line(
          "  _capability: Capability(serving: server, immediately: \(type)._interface) { server, call in"
        )
        out.line("    try \(type)._dispatch(immediately: server, call)")
        out.line("  })")
      }
    }
  }

  private func emitCall(
    _ method: InterfaceNode.Method, of id: UInt64, name: String, client: UInt64
  ) {
    // They would hide the types that the method names.
    var table = TypeNames.table(
      names.topLevel.union((names.parameters[client] ?? []).map(\.name)))
    let own = method.implicitParameters.map { table.claim(SwiftName.capitalized($0)) }
    let brands = brands(method)
    let (parameters, results, pipeline) = types.bindingImplicit(own) {
      (
        types.type(method.parameters, "Builder", brands.parameters),
        types.type(method.results, "Reader", brands.results),
        pipelines.hasPipeline(method.results)
          ? types.type(method.results, "Pipeline", brands.results) : "NoPipeline"
      )
    }
    let clause = own.isEmpty ? "" : "<\(own.map { "\($0): PointerType" }.joined(separator: ", "))>"
    // Swift infers them from the result's type where they are left out.
    let bound = own.map { "_: \($0).Type = \($0).self" }
    let build = "_ build: (\(parameters)) throws -> Void"
    let head = "\(access.visible)func \(SwiftName.escaped(name))\(clause)"
    let arguments = "\(types.namespace(id))._interface, method: \(method.number)"
    let call = "RemoteCall<\(results), \(pipeline)>"
    out.line()
    out.documentation(request.documentation(ofMember: method.number, in: id))
    emitDeprecation(method.annotations)
    let all = (bound + [build]).joined(separator: ", ")
    if method.isStreaming {
      out.line("nonisolated(nonsending) \(head)(\(all)) async throws {")
      out.line("  try await _capability.stream(\(arguments), build)")
      out.line("}")
    } else {
      out.line("\(head)(\(all)) rethrows")
      out.line("  -> \(call)")
      out.line("{ try _capability.call(\(arguments), build) }")
    }
    // No default for the closure: a call without it would have to be marked with `try`.
    out.line("/// Calls `\(method.name)` with all parameters at their defaults.")
    emitDeprecation(method.annotations)
    if method.isStreaming {
      out.block(
        "nonisolated(nonsending) \(head)(\(bound.joined(separator: ", "))) async throws"
      ) {
        out.line("try await _capability.stream(\(arguments)) { (_: \(parameters)) in }")
      }
    } else {
      out.block("\(head)(\(bound.joined(separator: ", "))) -> \(call)") {
        out.line("_capability.call(\(arguments)) { (_: \(parameters)) in }")
      }
    }
  }

  private func emitUpcast(_ id: UInt64, _ table: inout NameTable) {
    let name = table.claim("as" + interfaceName(id))
    let client = types.type(id, "Client")
    out.line()
    out.line("/// The same object as a ``\(names.paths[id]?.joined(separator: ".") ?? "")``.")
    out.block("\(access.visible)var \(name): \(client)", "\(client)(_capability: _capability)")
  }
}
