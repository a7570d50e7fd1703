import CapnProtoSchema

extension FileEmitter {
  /// Writes the protocol that objects implement. The interface's type parameters are associated
  /// types, named with their interface: an object may implement several.
  func emitServer(_ node: SchemaNode, _ interface: InterfaceNode, name: String) {
    let parameters = names.parameters[node.id] ?? []
    let own = associatedTypes(of: node.id)
    let (parents, constraints) = types.binding(own) {
      (
        interface.superclasses.map { "\(types.namespace($0.id)).Server" },
        interface.superclasses.flatMap { parent in
          let associated = associatedTypes(of: parent.id)
          return types.boundTypes(parent.id, parent.brand).map {
            "\(associated[$0.parameter.id] ?? "") == \($0.type)"
          }
        }
      )
    }
    let inherited = parents.isEmpty ? "CapabilityServer" : parents.joined(separator: ", ")
    let associated = parameters.compactMap { own[$0.id] }
    let clause = associated.isEmpty ? "" : "<\(associated.joined(separator: ", "))>"
    let bound = constraints.isEmpty ? "" : " where \(constraints.joined(separator: ", "))"
    out.line("/// An object that is a ``\(name)`` and has all of its methods.")
    out.block("\(access.visible)protocol Server\(clause): \(inherited)\(bound)") {
      for name in associated {
        out.line("/// What the type parameter is bound to.")
        out.line("associatedtype \(name): PointerType")
      }
      types.binding(own) {
        for method in interface.methods.sorted(by: { $0.codeOrder < $1.codeOrder }) {
          out.documentation(request.documentation(ofMember: method.number, in: node.id))
          out.line(serverHead(method, of: node.id))
        }
      }
    }
    out.line()
    let partial = interface.superclasses.map { ", \(types.namespace($0.id)).PartialServer" }
    out.line("/// An object that is a ``\(name)``. Methods left out answer `unimplemented`.")
    out.line(
      "\(access.visible)protocol PartialServer\(clause): Server\(partial.joined()) {}")
    out.line()
    emitImmediateServer(node, interface, name: name, associated: own, clause: clause)
  }

  /// Writes the protocol of objects whose methods are not asynchronous. It has no defaults: a method
  /// that is asynchronous by mistake would not be called.
  private func emitImmediateServer(
    _ node: SchemaNode, _ interface: InterfaceNode, name: String,
    associated: [TypeParameter.ID: String], clause: String
  ) {
    let parents = interface.superclasses.map { ", \(types.namespace($0.id)).ImmediateServer" }
    out.line(
      "/// An object that is a ``\(name)``, and answers each call before the method returns.")
    out.block("\(access.visible)protocol ImmediateServer\(clause): Server\(parents.joined())") {
      types.binding(associated) {
        for method in interface.methods.sorted(by: { $0.codeOrder < $1.codeOrder }) {
          let method = (methodName(method, of: node.id), callType(method, of: node.id))
          out.line("func \(SwiftName.escaped(method.0))(_ call: \(method.1)) throws")
        }
      }
    }
  }

  /// The names of a server's associated types.
  private func associatedTypes(
    of id: UInt64, in scope: String = ""
  ) -> [TypeParameter.ID: String] {
    let prefix = scope + (names.paths[id] ?? []).joined(separator: "_")
    let named = (names.parameters[id] ?? []).map { ($0.id, "\(prefix)_\($0.name)") }
    return Dictionary(named) { first, _ in first }
  }

  /// Writes what objects answer to methods that they do not implement, and the names of calls for
  /// use inside such objects. Those are no part of the protocol: an object that inherits two names
  /// that are the same would not compile then.
  func emitServerDefaults(_ node: SchemaNode, _ interface: InterfaceNode) {
    trailer.append { [self] in
      let type = types.namespace(node.id)
      let shared = types.binding(associatedTypes(of: node.id)) { sharedMethods(of: node.id) }
      emitCallNames(node, interface)
      if interface.methods.isEmpty, shared.isEmpty { return }
      out.line()
      out.block("extension \(type).PartialServer") {
        types.binding(associatedTypes(of: node.id)) {
          for (ordinal, method) in interface.methods.enumerated() {
            if ordinal > 0 { out.line() }
            out.line("/// Answers `unimplemented`.")
            out.block(access.visible + serverHead(method, of: node.id)) {
              out.line("throw RPCError.unimplemented(\(type)._interface, method: \(ordinal))")
            }
          }
        }
        for method in shared {
          out.line("/// Answers `unimplemented` for all ancestors that have the method.")
          out.block(access.visible + method.head) {
            let interface = "\(types.namespace(method.interface))._interface"
            out.line("throw RPCError.unimplemented(\(interface), method: \(method.number))")
          }
        }
      }
    }
  }

  /// Writes the names of calls for use inside objects.
  private func emitCallNames(_ node: SchemaNode, _ interface: InterfaceNode) {
    let inherited = inheritedCalls(of: node.id)
    let own = interface.methods.filter { !inherited.contains(names.callName($0, of: node.id)) }
    if own.isEmpty { return }
    out.line()
    out.block("extension \(types.namespace(node.id)).Server") {
      types.binding(associatedTypes(of: node.id)) {
        for method in own {
          let name = names.callName(method, of: node.id)
          out.line("/// A call of `\(method.name)`.")
          out.line("\(access.visible)typealias \(name) = \(callType(method, of: node.id))")
        }
      }
    }
  }

  /// The methods that several ancestors have with the same name and types, and that an object
  /// implements as one: of the answers of those ancestors, Swift would not choose one.
  private func sharedMethods(
    of id: UInt64
  ) -> [(head: String, interface: UInt64, number: Int)] {
    var counts: [String: Int] = [:]
    var shared: [(head: String, interface: UInt64, number: Int)] = []
    for ancestor in ancestry.ancestors(of: id) {
      types.binding(ancestor.bindings) {
        for (number, method) in ancestor.interface.methods.enumerated() {
          let head = serverHead(methodName(method, of: ancestor.node.id), callContext(method))
          counts[head, default: 0] += 1
          if counts[head] == 2 { shared.append((head, ancestor.node.id, number)) }
        }
      }
    }
    return shared
  }

  /// Writes the functions that find the method of a call that came in.
  func emitDispatch(_ node: SchemaNode, _ interface: InterfaceNode) {
    emitDispatch(
      node, interface, "nonisolated(nonsending) \(access.visible)static func _dispatch", "Server",
      effects: "async throws", mark: "try await")
    out.line()
    emitDispatch(
      node, interface, "\(access.visible)static func _dispatch", "ImmediateServer",
      effects: "throws", mark: "try")
  }

  private func emitDispatch(
    _ node: SchemaNode, _ interface: InterfaceNode, _ head: String, _ server: String,
    effects: String, mark: String
  ) {
    let isGeneric = names.parameters[node.id] != nil
    let label = server == "Server" ? "_ server" : "immediately server"
    let argument = server == "Server" ? "server" : "immediately: server"
    out.line("/// Runs the method that the call names; false where the interface does not have it.")
    out.line("\(head)\(isGeneric ? "<Object: \(server)>" : "")(")
    out.line("  \(label): \(isGeneric ? "Object" : "some \(server)"), _ call: ServerCall")
    out.block(") \(effects) -> Bool") {
      if !interface.methods.isEmpty {
        out.block("if call.interfaceID == \(Literal.hexadecimal(node.id))") {
          out.line("switch call.methodID {")
          types.binding(associatedTypes(of: node.id, in: "Object.")) {
            for (ordinal, method) in interface.methods.enumerated() {
              let name = methodName(method, of: node.id)
              out.line(
                "case \(ordinal): \(mark) server.\(name)(\(callType(method, of: node.id))(call))")
            }
          }
          out.line("default: return false")
          out.line("}")
          out.line("return true")
        }
      }
      for parent in interface.superclasses {
        out.line(
          "if \(mark) \(types.namespace(parent.id))._dispatch(\(argument), call) { return true }")
      }
      out.line("return false")
    }
  }

  private func serverHead(_ method: InterfaceNode.Method, of id: UInt64) -> String {
    serverHead(methodName(method, of: id), callType(method, of: id))
  }

  private func serverHead(_ name: String, _ call: String) -> String {
    "nonisolated(nonsending) func \(SwiftName.escaped(name))(_ call: \(call)) async throws"
  }

  private func callType(_ method: InterfaceNode.Method, of id: UInt64) -> String {
    types.type(id, names.callName(method, of: id))
  }
}
