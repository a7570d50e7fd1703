import CapnProtoSchema

/// A pointer field while its part of the builder is written.
struct PointerField {
  let field: SchemaField
  let slot: SchemaField.Slot
  let context: StructureContext
  /// The pointer as it is, and with the default in it where it was null.
  let pointer: String
  let filledPointer: String
  let select: String?

  init(
    _ field: SchemaField, _ slot: SchemaField.Slot, _ context: StructureContext,
    _ emitter: FileEmitter
  ) {
    self.field = field
    self.slot = slot
    self.context = context
    pointer = "_raw.pointer(\(slot.offset))"
    filledPointer = emitter.pointer(slot, context)
    select = context.select(field)
  }

  /// The value by copy, or the default's literal.
  func copied(_ member: String) -> String {
    slot.defaultValue.isZero
      ? "\(pointer).\(member)"
      : "_raw.hasPointer(\(slot.offset)) ? \(pointer).\(member) : \(slot.defaultValue.literal)"
  }
}

extension FileEmitter {
  func emitPointerField(_ pointer: PointerField) {
    let type = pointer.slot.type
    switch type {
    case .text: emitBytes(pointer, "String", "string", "setText", label: "utf8 bytes")
    case .data: emitBytes(pointer, "[UInt8]", "array", "setData", label: "_ bytes")
    case .structure: emitComposite(pointer, get: "structure()", make: "initStructure()")
    case .list: emitComposite(pointer, get: "list()", make: "initList(count: count)")
    case .interface:
      emitProperty(
        pointer.field, types.reader(type) + "?", get: "\(pointer.pointer).client()",
        select: pointer.select, set: "\(pointer.pointer).setClient(newValue)")
      // Capabilities lie in the message's table, so there is nothing to detach.
      return
    case .anyPointer(.capability):
      emitProperty(
        pointer.field, types.reader(type) + "?", get: "\(pointer.pointer).capabilityReference",
        select: pointer.select, set: "\(pointer.pointer).setCapabilityReference(newValue)")
      return
    case .parameter, .implicitParameter:
      emitPointer(pointer, "PointerBuilder<\(types.name(type))>") { "PointerBuilder(\($0))" }
    default: emitPointer(pointer, "AnyPointerBuilder") { $0 }
    }
    emitPlace(pointer)
  }

  /// The field as a place, for what is not done by its value.
  private func emitPlace(_ pointer: PointerField) {
    emitView(
      pointer.context.placeName(pointer.field),
      "PointerField<\(types.builder(pointer.slot.type))>",
      ".init(_raw, \(pointer.slot.offset)\(pointer.context.member(pointer.field)))")
  }

  /// A text or data.
  private func emitBytes(
    _ pointer: PointerField, _ type: String, _ get: String, _ set: String, label: String
  ) {
    emitProperty(
      pointer.field, type, get: pointer.copied(get), select: pointer.select,
      set: "\(pointer.pointer).\(set)(newValue)", isInPlace: pointer.slot.type == .text)
    let argument = label == "_ bytes" ? "bytes" : "utf8: bytes"
    emitSetter(
      pointer, "(\(label): Span<UInt8>)", "\(pointer.pointer).\(set)(\(argument))",
      isInPlace: true)
  }

  /// A struct or list.
  private func emitComposite(_ pointer: PointerField, get: String, make: String) {
    let isList = if case .list = pointer.slot.type { true } else { false }
    let type = types.builder(pointer.slot.type)
    emitView(
      SwiftName.escaped(pointer.field.memberName), type, "\(pointer.filledPointer).\(get)",
      isInPlace: !isList)
    emitInitializer(
      pointer, isList ? "(_ count: Int) -> \(type)" : "() -> \(type)",
      pointer.select.map { [$0] } ?? [], returning: "\(pointer.pointer).\(make)")
    emitCopy(pointer)
  }

  private func emitPointer(
    _ pointer: PointerField, _ type: String, _ wrapped: (String) -> String
  ) {
    emitView(
      SwiftName.escaped(pointer.field.memberName), type, wrapped(pointer.filledPointer))
    if let select = pointer.select {
      emitInitializer(
        pointer, "() -> \(type)", [select, "\(pointer.pointer).clear()"],
        returning: wrapped(pointer.pointer))
    }
    emitCopy(pointer)
  }

  private func emitInitializer(
    _ pointer: PointerField, _ signature: String, _ statements: [String], returning value: String
  ) {
    let name = pointer.context.methodName("init", pointer.field)
    out.function(
      "@_lifetime(copy self) \(access.load)func \(name)\(signature)", statements,
      returning: value)
  }

  private func emitCopy(_ pointer: PointerField) {
    let statement =
      switch pointer.slot.type {
      case .parameter, .implicitParameter:
        "try \(types.name(pointer.slot.type))._set(\(pointer.pointer), value)"
      default: "try \(pointer.pointer).set(value)"
      }
    emitSetter(
      pointer, "(_ value: \(types.reader(pointer.slot.type))) throws(DecodingError)", statement)
  }

  private func emitSetter(
    _ pointer: PointerField, _ signature: String, _ statement: String, isInPlace: Bool = false
  ) {
    let name = pointer.context.methodName("set", pointer.field)
    out.function(
      "\(access.member(isInPlace: isInPlace))func \(name)\(signature)",
      [pointer.select, statement].compactMap { $0 })
  }
}
