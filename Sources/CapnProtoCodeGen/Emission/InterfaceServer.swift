extension FileEmitter {
  /// Writes the protocol that objects implement.
  func emitServer(_ node: SchemaNode, _ interface: SchemaInterface, name: String) {
    let parents = interface.superclasses.map { types.type($0, "Server") }
    let inherited = parents.isEmpty ? "CapabilityServer" : parents.joined(separator: ", ")
    out.line("/// An object that is a ``\(name)``. Methods left out answer `unimplemented`.")
    out.block("public protocol Server: \(inherited)") {
      for method in interface.methods.sorted(by: { $0.codeOrder < $1.codeOrder }) {
        out.documentation(method.documentation)
        out.line(serverHead(method, of: node.id))
      }
    }
  }

  /// Writes what objects answer to methods that they do not implement, and the names of calls for
  /// use inside such objects. Those are no part of the protocol: an object that inherits two names
  /// that are the same would not compile then.
  func emitServerDefaults(_ node: SchemaNode, _ interface: SchemaInterface) {
    guard !interface.methods.isEmpty else { return }
    let type = types.type(node.id)
    trailer.append { [self] in
      out.block("extension \(types.type(node.id, "Server"))") {
        for (ordinal, method) in interface.methods.enumerated() {
          if ordinal > 0 { out.line() }
          let call = TypeNames.callName(method)
          if !inheritsMethod(method, of: node.id) {
            out.line("/// A call of `\(method.name)`.")
            out.line("public typealias \(call) = \(type).\(call)")
          }
          out.line("/// Answers `unimplemented`.")
          out.block("public " + serverHead(method, of: node.id)) {
            out.line("throw RPCError.unimplemented(\(type)._interface, method: \(ordinal))")
          }
        }
      }
    }
  }

  /// Writes the function that finds the method of a call that came in.
  func emitDispatch(_ node: SchemaNode, _ interface: SchemaInterface) {
    out.line("/// Runs the method that the call names; false where the interface does not have it.")
    out.line("nonisolated(nonsending) public static func _dispatch(")
    out.line("  _ server: some Server, _ call: ServerCall")
    out.block(") async throws -> Bool") {
      if !interface.methods.isEmpty {
        out.block("if call.interfaceID == \(Literal.hexadecimal(node.id))") {
          out.line("switch call.methodID {")
          for (ordinal, method) in interface.methods.enumerated() {
            let name = methodName(method, of: node.id)
            let context = "\(types.type(node.id)).\(TypeNames.callName(method))"
            out.line("case \(ordinal): try await server.\(name)(\(context)(call))")
          }
          out.line("default: return false")
          out.line("}")
          out.line("return true")
        }
      }
      for parent in interface.superclasses {
        out.line("if try await \(types.type(parent))._dispatch(server, call) { return true }")
      }
      out.line("return false")
    }
  }

  private func serverHead(_ method: SchemaInterface.Method, of id: UInt64) -> String {
    "nonisolated(nonsending) func \(SwiftName.escaped(methodName(method, of: id)))"
      + "(_ call: \(types.type(id)).\(TypeNames.callName(method))) async throws"
  }
}
