import CapnProtoSchema

extension FileEmitter {
  func emitInterface(_ node: SchemaNode, _ interface: InterfaceNode, name: String) throws {
    let isGeneric = names.parameters[node.id] != nil
    try types.inScope(of: node.id) {
      let conformance = isGeneric ? ": DescribedType" : ": InterfaceType, DescribedType"
      try out.block("\(access.visible)enum \(SwiftName.escaped(name))\(conformance)") {
        emitIdentity(node)
        out.line()
        emitDescription(node, interface)
        if isGeneric {
          out.line()
          emitBoundType(node, "InterfaceType", ["Client"])
        }
        for method in interface.methods {
          out.line()
          out.line("/// A call of `\(method.name)` as a server sees it.")
          let clause = types.parameterClause(node.id)
          out.line(
            "\(access.visible)typealias \(names.callName(method, of: node.id))\(clause) = \(callContext(method))"
          )
        }
        emitMethodNumbers(node, interface)
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

  private func emitDescription(_ node: SchemaNode, _ interface: InterfaceNode) {
    let methods = interface.methods.map { Literal.string($0.name) }.joined(separator: ", ")
    let parents = interface.superclasses.map { "\(types.namespace($0.id))._interface" }
    out.line("/// The interface as diagnoses name it.")
    out.line("\(access.visible)static let _interface: InterfaceDescription = InterfaceDescription(")
    out.line("  id: \(Literal.hexadecimal(node.id)), name: \(Literal.string(node.displayName)),")
    let streaming = interface.methods.enumerated().filter { $0.element.isStreaming }
      .map { "\($0.offset)" }.joined(separator: ", ")
    let streams = streaming.isEmpty ? "" : "streamingMethods: [\(streaming)], "
    out.line(
      "  methods: [\(methods)], \(streams)superinterfaces: [\(parents.joined(separator: ", "))])")
  }

  /// Writes the constants that name methods where a call is told by its numbers.
  private func emitMethodNumbers(_ node: SchemaNode, _ interface: InterfaceNode) {
    if interface.methods.isEmpty { return }
    out.line()
    out.line("/// The ordinals of the methods, as calls carry them.")
    out.block("\(access.visible)enum Methods") {
      for method in interface.methods {
        let name = SwiftName.escaped(methodName(method, of: node.id))
        out.line("/// The ordinal of `\(method.name)`.")
        out.line("\(access.inlinable)static var \(name): UInt16 { \(method.number) }")
      }
    }
  }

  /// An object sees the method's own type parameters as any pointer: they differ from call to call.
  func callContext(_ method: InterfaceNode.Method) -> String {
    let (parameters, results) = brands(method)
    return "CallContext<\(types.type(method.parameters, "Reader", parameters)), "
      + "\(types.type(method.results, "Builder", results))>"
  }

  /// What the type parameters of a method's params and results are bound to.
  func brands(_ method: InterfaceNode.Method) -> (parameters: SchemaBrand, results: SchemaBrand) {
    func brand(_ id: UInt64, _ brand: SchemaBrand) -> SchemaBrand {
      // The structs that stand for params and results have the method's own parameters as theirs;
      // the request does not say so.
      guard request.nodes[id]?.scope == 0 else { return brand }
      var scopes = brand.scopes
      scopes[id] = .bind(
        method.implicitParameters.indices
          .map { .implicitParameter(index: UInt16(truncatingIfNeeded: $0)) })
      return SchemaBrand(scopes: scopes)
    }
    return (
      brand(method.parameters, method.parameterBrand), brand(method.results, method.resultBrand)
    )
  }
}
