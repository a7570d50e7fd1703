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
    let literal = slot.defaultValue.literal
    guard !slot.defaultValue.isZero else {
      return context.valueIfMember(field, "\(pointer).\(member)", otherwise: literal)
    }
    return "\(context.isSet(field, slot)) ? \(pointer).\(member) : \(literal)"
  }
}

extension FileEmitter {
  func emitPointerField(_ pointer: PointerField) {
    let type = pointer.slot.type
    switch type {
    case .text:
      emitBytes(pointer, "String", "string", "setText", label: "utf8 bytes", reader: "TextReader")
    case .data:
      emitBytes(pointer, "[UInt8]", "array", "setData", label: "_ bytes", reader: "DataReader")
    case .structure: emitComposite(pointer, get: "structure()", make: "initStructure()")
    case .list: emitComposite(pointer, get: "list()", make: "initList(count: count)")
    case .interface:
      emitProperty(
        pointer.field, types.reader(type) + "?",
        get: pointer.context.valueIfMember(
          pointer.field, "\(pointer.pointer).client()", otherwise: "nil"),
        select: pointer.select, set: "\(pointer.pointer).setClient(newValue)")
      // Capabilities lie in the message's table, so there is nothing to detach.
      return
    case .anyPointer(.capability):
      emitProperty(
        pointer.field, types.reader(type) + "?",
        get: pointer.context.valueIfMember(
          pointer.field, "\(pointer.pointer).capabilityReference", otherwise: "nil"),
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
    _ pointer: PointerField, _ type: String, _ get: String, _ set: String, label: String,
    reader: String
  ) {
    emitProperty(
      pointer.field, type, get: pointer.copied(get), select: pointer.select,
      set: "\(pointer.pointer).\(set)(newValue)", isInPlace: pointer.slot.type == .text)
    let argument = label == "_ bytes" ? "bytes" : "utf8: bytes"
    emitSetters(
      pointer,
      [
        ("(\(label): Span<UInt8>)", "\(pointer.pointer).\(set)(\(argument))"),
        ("(_ value: \(reader))", "\(pointer.pointer).set(value)"),
      ], isInPlace: true)
  }

  /// A struct or list.
  private func emitComposite(_ pointer: PointerField, get: String, make: String) {
    let isList = if case .list = pointer.slot.type { true } else { false }
    let type = types.builder(pointer.slot.type)
    emitBuilderView(
      pointer.field, pointer.context, type, "\(pointer.filledPointer).\(get)", isInPlace: !isList)
    emitInitializer(
      pointer, isList ? "(_ count: Int) -> \(type)" : "() -> \(type)",
      pointer.select.map { [$0] } ?? [], returning: "\(pointer.pointer).\(make)")
    emitCopy(pointer)
  }

  private func emitPointer(
    _ pointer: PointerField, _ type: String, _ wrapped: (String) -> String
  ) {
    emitBuilderView(pointer.field, pointer.context, type, wrapped(pointer.filledPointer))
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
    let value = "(_ value: \(types.reader(pointer.slot.type))) throws(DecodingError)"
    emitSetters(pointer, [(value, statement)] + valueSetter(pointer))
  }

  /// The setter of a list by values of Swift, for elements that have any.
  private func valueSetter(_ pointer: PointerField) -> [(signature: String, statement: String)] {
    guard case .list(let element) = pointer.slot.type else { return [] }
    let builder = types.builder(element)
    if element.isAssignable {
      return [
        (
          "<_Values: _Sequence>(_ values: _Values) "
            + "where _Values.Element == \(types.assignedValue(element))",
          "\(pointer.pointer).setList(of: \(builder).self, values)"
        )
      ]
    }
    guard case .structure = element else { return [] }
    return [
      (
        "<_Values: _Sequence, _Failure>(_ values: _Values, "
          + "_ body: (\(builder), _Values.Element) throws(_Failure) -> Void) throws(_Failure)",
        "try \(pointer.pointer).setList(of: \(builder).self, values, body)"
      )
    ]
  }

  /// Methods of one name that set a field.
  private func emitSetters(
    _ pointer: PointerField, _ setters: [(signature: String, statement: String)],
    isInPlace: Bool = false
  ) {
    let name = pointer.context.methodName("set", pointer.field)
    for setter in setters {
      out.function(
        "\(access.member(isInPlace: isInPlace))func \(name)\(setter.signature)",
        [pointer.select, setter.statement].compactMap { $0 })
    }
  }
}

extension SchemaType {
  /// Whether an element of a list of the type is set by a value of Swift.
  fileprivate var isAssignable: Bool {
    if case .list(let element) = self { element.isAssignable } else { dataBits != nil || isBytes }
  }
}

extension TypeReferences {
  /// The type of the value that sets an element of a list.
  fileprivate func assignedValue(_ type: SchemaType) -> String {
    switch type {
    case .text: "String"
    case .data: "[UInt8]"
    case .list(let element): "[\(assignedValue(element))]"
    default: reader(type)
    }
  }
}
