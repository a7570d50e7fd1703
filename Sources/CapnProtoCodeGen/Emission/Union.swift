extension FileEmitter {
  /// The property of a reader that tells which member of the union is set.
  func emitWhichGetter(_ structure: SchemaStruct, offset: UInt32) {
    out.line("/// The member of the union that is set.")
    // Where there are few members, the payload costs less in place than in memory.
    let attributes = structure.members.count > 4 ? "@inlinable" : "@inlinable @inline(__always)"
    out.block("\(attributes) public var which: Which") {
      out.block("@_lifetime(copy self) get throws(DecodingError)") {
        out.line("switch _raw.discriminant(\(offset)) {")
        for (discriminant, field) in structure.members {
          let name = SwiftName.enumCase(field.name)
          out.line("case \(discriminant): return .\(name)\(payloadValue(field))")
        }
        out.line("case let number: return .unknown(number)")
        out.line("}")
      }
    }
  }

  func emitWhich(_ context: StructureContext, name: String) {
    out.line("/// The members of the union in ``\(name)``.")
    out.block("public enum Which: ~Escapable") {
      for (_, field) in context.structure.members {
        out.documentation(field.documentation)
        let name = SwiftName.escaped(SwiftName.enumCase(field.name))
        out.line("case \(name)\(payloadType(field))")
      }
      out.line("/// A member that this version of the schema does not know.")
      out.line("case unknown(UInt16)")
    }
  }

  private func payloadType(_ field: SchemaField) -> String {
    switch field.kind {
    case .group(let id): return "(\(types.type(id, "Reader")))"
    case .slot(let slot):
      switch slot.type {
      case .void: return ""
      case .interface, .capability: return "(\(types.reader(slot.type))?)"
      default: return "(\(types.reader(slot.type)))"
      }
    case .unknown: return ""
    }
  }

  private func payloadValue(_ field: SchemaField) -> String {
    let name = SwiftName.escaped(SwiftName.member(field.name))
    switch field.kind {
    case .group: return "(\(name))"
    case .slot(let slot):
      if slot.type == .void { return "" }
      let throwing = slot.type.dataBits == nil && slot.type != .anyPointer
      return throwing ? "(try \(name))" : "(\(name))"
    case .unknown: return ""
    }
  }
}
