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
    slot.value.isZero
      ? "\(pointer).\(member)"
      : "_raw.hasPointer(\(slot.offset)) ? \(pointer).\(member) : \(Access.literal(slot.value))"
  }
}

extension FileEmitter {
  func emitPointerField(_ pointer: PointerField) {
    let field = pointer.field
    switch pointer.slot.type {
    case .text: emitText(pointer)
    case .data: emitData(pointer)
    case .structure: emitComposite(pointer, get: "structure()", make: "initStructure()")
    case .list: emitComposite(pointer, get: "list()", make: "initList(count: count)")
    case .interface:
      emitCapability(pointer, get: "\(pointer.pointer).client()", set: "setClient")
    case .capability:
      emitCapability(
        pointer, get: "\(pointer.pointer).capabilityReference",
        set: "setCapabilityReference")
    case .parameter, .implicitParameter: emitParameter(pointer)
    default: emitAnyPointer(pointer)
    }
    out.line("/// Whether `\(field.name)` is set.")
    out.line(
      "@inlinable public var \(pointer.context.name("has", field)): Bool"
        + " { \(pointer.context.isSet(field, pointer.slot)) }")
    emitSetter(
      "Sets `\(field.name)` to null.", pointer,
      "public func \(pointer.context.name("clear", field))()",
      "\(pointer.pointer).clear()")
    switch pointer.slot.type {
    // Capabilities lie in the message's table, so there is nothing to detach.
    case .interface, .capability: break
    default: emitOrphans(pointer)
    }
  }

  private func emitOrphans(_ pointer: PointerField) {
    let (field, context) = (pointer.field, pointer.context)
    let type = "Orphan<\(types.builder(pointer.slot.type))>"
    emitSetter(
      "Sets `\(field.name)` to the orphan.", pointer,
      "public func \(context.name("adopt", field))(_ orphan: consuming \(type))",
      "\(pointer.pointer).adopt(orphan)")
    out.line("/// Keeps what `\(field.name)` is, and sets it to null.")
    out.line("@_lifetime(copy self)")
    let value =
      context.isMember(field).map { "_raw.disown(\(pointer.slot.offset), if: \($0))" }
      ?? "\(pointer.pointer).disown()"
    out.block("public func \(context.name("disown", field))() -> \(type)", value)
  }

  private func emitText(_ pointer: PointerField) {
    emitProperty(
      pointer.field, "String", attributes: "@inlinable @inline(__always) ",
      get: pointer.copied("string"), select: pointer.select,
      set: "\(pointer.pointer).setText(newValue)")
    emitSetter(
      "Sets `\(pointer.field.name)` to the bytes, which should be UTF-8.", pointer,
      "public func \(setter(pointer))(utf8 bytes: Span<UInt8>)",
      "\(pointer.pointer).setText(utf8: bytes)", isInlined: true)
  }

  private func emitData(_ pointer: PointerField) {
    emitProperty(
      pointer.field, "[UInt8]", get: pointer.copied("array"), select: pointer.select,
      set: "\(pointer.pointer).setData(newValue)")
    emitSetter(
      "Sets `\(pointer.field.name)` to the bytes.", pointer,
      "public func \(setter(pointer))(_ bytes: Span<UInt8>)",
      "\(pointer.pointer).setData(bytes)", isInlined: true)
  }

  private func emitCapability(_ pointer: PointerField, get: String, set: String) {
    emitProperty(
      pointer.field, types.reader(pointer.slot.type) + "?", get: get, select: pointer.select,
      set: "\(pointer.pointer).\(set)(newValue)")
  }

  /// A struct or list.
  private func emitComposite(_ pointer: PointerField, get: String, make: String) {
    let isList = if case .list = pointer.slot.type { true } else { false }
    let type = types.builder(pointer.slot.type)
    emitView(
      SwiftName.escaped(pointer.field.memberName), type,
      "\(pointer.filledPointer).\(get)",
      attributes: isList ? "@inlinable" : "@inlinable @inline(__always)")
    let what = isList ? "list of the count" : "struct"
    out.line("/// Sets `\(pointer.field.name)` to a new \(what).")
    out.line("@inlinable @inline(__always) @_lifetime(copy self)")
    out.function(
      "public func \(pointer.context.name("init", pointer.field))"
        + "(\(isList ? "_ count: Int" : "")) -> \(type)",
      pointer.select.map { [$0] } ?? [], returning: "\(pointer.pointer).\(make)")
    emitCopy(pointer)
  }

  private func emitAnyPointer(_ pointer: PointerField) {
    emitPointer(pointer, "AnyPointerBuilder") { $0 }
  }

  /// A pointer whose type is a type parameter.
  private func emitParameter(_ pointer: PointerField) {
    emitPointer(pointer, "PointerBuilder<\(types.name(pointer.slot.type))>") {
      "PointerBuilder(\($0))"
    }
  }

  private func emitPointer(
    _ pointer: PointerField, _ type: String, _ wrapped: (String) -> String
  ) {
    emitView(
      SwiftName.escaped(pointer.field.memberName), type, wrapped(pointer.filledPointer))
    if let select = pointer.select {
      out.line("/// Sets `\(pointer.field.name)`, null.")
      out.line("@_lifetime(copy self)")
      out.function(
        "public func \(pointer.context.name("init", pointer.field))() -> \(type)",
        [select, "\(pointer.pointer).clear()"], returning: wrapped(pointer.pointer))
    }
    emitCopy(pointer)
  }

  private func emitCopy(_ pointer: PointerField) {
    let statement =
      switch pointer.slot.type {
      case .parameter, .implicitParameter:
        "try \(types.name(pointer.slot.type))._set(\(pointer.pointer), value)"
      default: "try \(pointer.pointer).set(value)"
      }
    emitSetter(
      "Sets `\(pointer.field.name)` to a copy.", pointer,
      "public func \(setter(pointer))(_ value: \(types.reader(pointer.slot.type)))"
        + " throws(DecodingError)", statement)
  }

  private func emitSetter(
    _ documentation: String, _ pointer: PointerField, _ head: String, _ statement: String,
    isInlined: Bool = false
  ) {
    out.line("/// \(documentation)")
    if isInlined { out.line("@inlinable @inline(__always)") }
    out.function(head, [pointer.select, statement].compactMap { $0 })
  }

  private func setter(_ pointer: PointerField) -> String {
    pointer.context.name("set", pointer.field)
  }
}
