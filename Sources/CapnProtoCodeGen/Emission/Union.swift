import CapnProtoSchema

extension FileEmitter {
  /// The property of a reader that tells which member of the union is set.
  func emitWhichGetter(_ context: StructureContext, offset: Int) {
    out.line("/// The member of the union that is set.")
    // Where there are few members, the payload costs less in place than in memory.
    let isSmall = context.structure.members.count <= 4
    out.block(
      "\(isSmall ? access.load : access.body)var which: Which\(types.arguments(context.id))"
    ) {
      out.block("@_lifetime(copy self) get throws(DecodingError)") {
        out.line("switch _raw.discriminant(\(offset)) {")
        for (discriminant, field) in context.structure.members {
          let payload = hasPayload(field) ? "(\(readExpression(field, context)))" : ""
          out.line("case \(discriminant): return .\(field.caseName)\(payload)")
        }
        out.line("case let number: return .unknown(number)")
        out.line("}")
      }
    }
  }

  func emitWhich(_ context: StructureContext, name: String) {
    out.line("/// The members of the union in ``\(name)``.")
    out.block("\(access.visible)enum Which\(types.parameterClause(context.id)): ~Escapable") {
      for (_, field) in context.structure.members {
        out.documentation(request.documentation(of: field))
        let payload = hasPayload(field) ? "(\(readType(field)))" : ""
        out.line("case \(SwiftName.escaped(field.caseName))\(payload)")
      }
      out.line("/// A member that this version of the schema does not know.")
      out.line("case unknown(UInt16)")
    }
  }

  /// Whether the field's case in `Which` has a payload.
  func hasPayload(_ field: SchemaField) -> Bool {
    switch field.kind {
    case .group: true
    case .slot(let slot): slot.type != .void
    }
  }
}
