extension FileEmitter {
  func emitReader(_ context: StructureContext, name: String) {
    out.line("/// Reads a ``\(name)``.")
    out.block("@frozen public struct Reader: TypedStructReader, ~Escapable") {
      emitHead(context.structure, raw: "StructReader")
      for field in context.structure.fieldsInCodeOrder { emitGetter(field, context) }
      if let offset = context.structure.discriminantOffset {
        out.line()
        emitWhichGetter(context.structure, offset: offset)
      }
    }
  }

  private func emitGetter(_ field: SchemaField, _ context: StructureContext) {
    let name = SwiftName.escaped(SwiftName.member(field.name))
    switch field.kind {
    case .group(let id):
      out.line()
      out.documentation(field.documentation)
      let type = types.type(id, "Reader")
      emitView(name, type, "\(type)(_raw: _raw)")
    case .slot(let slot) where slot.type == .void: break
    case .slot(let slot):
      out.line()
      out.documentation(field.documentation)
      let type = types.reader(slot.type)
      if slot.type.dataBits != nil {
        out.line(
          "@inlinable @inline(__always) public var \(name): \(type) { \(Access.read(slot)) }")
      } else {
        emitPointerGetter(name, type, slot, context)
        out.line("/// Whether `\(field.name)` is set.")
        out.line(
          "@inlinable public var \(context.name("has", field)): Bool"
            + " { \(context.isSet(field, slot)) }")
      }
    case .unknown: break
    }
  }

  private func emitPointerGetter(
    _ name: String, _ type: String, _ slot: SchemaField.Slot, _ context: StructureContext
  ) {
    let pointer = pointer(slot, context)
    let inlined = "@inlinable @inline(__always)"
    switch slot.type {
    case .text:
      emitView(name, type, "\(pointer).text()", attributes: inlined, throwing: true)
    case .structure:
      emitView(name, type, "\(pointer).structure()", attributes: inlined, throwing: true)
    case .data: emitView(name, type, "\(pointer).data()", attributes: inlined, throwing: true)
    case .list(.structure):
      emitView(name, type, "\(pointer).list()", attributes: inlined, throwing: true)
    case .list: emitView(name, type, "\(pointer).list()", throwing: true)
    case .interface, .capability:
      let call = slot.type == .capability ? "capabilityReference()" : "client()"
      out.block("public var \(name): \(type)?") {
        out.line("get throws(DecodingError) { try \(pointer).\(call) }")
      }
    default: emitView(name, type, pointer)
    }
  }

  /// The pointer of a slot, or of its default where it is null.
  func pointer(_ slot: SchemaField.Slot, _ context: StructureContext) -> String {
    guard let name = defaultName(slot, in: context.structure) else {
      return "_raw.pointer(\(slot.offset))"
    }
    return "_raw.pointer(\(slot.offset), default: \(types.type(context.id)).\(name))"
  }
}

/// Spells reads and writes of places in the data section.
enum Access {
  static func read(_ slot: SchemaField.Slot) -> String {
    let method =
      switch slot.type {
      case .bool: "readBool"
      case .enumeration: "readEnum"
      default: "read"
      }
    return "_raw.\(method)(\(slot.offset)\(defaultArgument(slot)))"
  }

  static func write(_ slot: SchemaField.Slot) -> String {
    let method =
      switch slot.type {
      case .bool: "writeBool"
      case .enumeration: "writeEnum"
      default: "write"
      }
    return "_raw.\(method)(\(slot.offset), newValue\(defaultArgument(slot)))"
  }

  private static func defaultArgument(_ slot: SchemaField.Slot) -> String {
    slot.value.isZero ? "" : ", default: \(literal(slot.value))"
  }

  static func literal(_ value: SchemaValue) -> String {
    switch value {
    case .void, .pointer: "VoidValue()"
    case .bool(let value): value ? "true" : "false"
    case .signed(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .float32(let value): Literal.float(value)
    case .float64(let value): Literal.double(value)
    case .text(let text): Literal.string(text)
    case .data(let bytes): Literal.bytes(bytes)
    case .enumerant(let number): "\(number)"
    }
  }
}
