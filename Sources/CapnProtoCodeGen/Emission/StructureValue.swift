import CapnProtoSchema

extension FileEmitter {
  /// Writes the plain Swift value of a struct or group.
  func emitValue(_ context: StructureContext, name: String) {
    let fields = context.structure.fieldsInCodeOrder.filter { $0.discriminant == nil }
    let properties = fields.filter { $0.hasValue }
    let reader = types.type(context.id, "Reader")
    let builder = types.type(context.id, "Builder")
    out.line("/// A ``\(name)`` as a plain value.")
    out.block("\(access.visible)struct Value: StructValue") {
      out.line("\(access.visible)typealias Reader = \(reader)")
      out.line("\(access.visible)typealias Builder = \(builder)")
      for field in properties { emitStoredProperty(field, context) }
      if context.structure.discriminantOffset != nil {
        out.line("/// The member of the union that is set.")
        let first = context.structure.members.first.map { $0.field }
        let value = first.map { ".\($0.caseName)\(payload($0, initialValue($0, context)))" }
        out.line("\(access.visible)var which: Which = \(value ?? ".unknown(0)")")
      }
      out.line()
      out.line("/// All fields at their defaults.")
      out.line("\(access.visible)init() {}")
      out.line()
      out.line("/// Takes everything out of the message.")
      let takes = !properties.isEmpty || context.structure.discriminantOffset != nil
      out.block("\(access.visible)init(_ reader: \(reader)) throws(DecodingError)") {
        guard takes else { return }
        out.line("let _raw = reader._raw")
        for field in properties {
          out.line("self.\(valueName(field)) = \(takenValue(field, context))")
        }
        if let offset = context.structure.discriminantOffset {
          out.line("switch _raw.discriminant(\(offset)) {")
          for (discriminant, field) in context.structure.members {
            let value = hasPayload(field) ? takenValue(field, context) : ""
            out.line(
              "case \(discriminant): which = .\(field.caseName)\(payload(field, value))")
          }
          out.line("case let number: which = .unknown(number)")
          out.line("}")
        }
      }
      out.line()
      out.line("/// Puts everything into the message, in place of what is there.")
      out.block("\(access.visible)func write(to builder: \(builder))") {
        guard takes else { return }
        out.line("let _raw = builder._raw")
        for field in properties { emitWrite(field, "self.\(valueName(field))", context) }
        if let offset = context.structure.discriminantOffset {
          emitUnionWrite(context, offset)
        }
      }
      if context.structure.discriminantOffset != nil {
        out.line()
        emitValueWhich(context)
      }
    }
  }

  private func emitStoredProperty(_ field: SchemaField, _ context: StructureContext) {
    out.documentation(request.documentation(of: field))
    let wrapper = isRecursive(field, context) ? "@Indirect " : ""
    out.line(
      "\(wrapper)\(access.visible)var \(SwiftName.escaped(valueName(field))): \(valueType(field))"
        + " = \(initialValue(field, context))")
  }

  private func emitValueWhich(_ context: StructureContext) {
    out.line("/// The members of the union.")
    out.block("\(access.visible)enum Which: Hashable, Sendable") {
      for (_, field) in context.structure.members {
        out.documentation(request.documentation(of: field))
        let isIndirect = isRecursive(field, context) ? "indirect " : ""
        out.line(
          "\(isIndirect)case \(SwiftName.escaped(field.caseName))\(payload(field, valueType(field)))"
        )
      }
      out.line("/// A member that this version of the schema does not know, without its content.")
      out.line("case unknown(UInt16)")
    }
  }

  private func emitUnionWrite(_ context: StructureContext, _ offset: Int) {
    out.line("switch which {")
    for (discriminant, field) in context.structure.members {
      let select = "_raw.setDiscriminant(\(offset), \(discriminant))"
      if hasPayload(field) {
        out.line("case .\(field.caseName)(let value):")
        out.indented {
          out.line(select)
          emitWrite(field, "value", context)
        }
      } else {
        out.line("case .\(field.caseName): \(select)")
      }
    }
    out.line("case .unknown(let number): _raw.setDiscriminant(\(offset), number)")
    out.line("}")
  }

  /// Writes the statements that put a field's value into the message.
  private func emitWrite(_ field: SchemaField, _ value: String, _ context: StructureContext) {
    switch field.kind {
    case .group(let id): out.line("\(value).write(to: \(types.type(id, "Builder"))(_raw: _raw))")
    case .slot(let slot):
      let pointer = "_raw.pointer(\(slot.offset))"
      if slot.type.dataBits != nil {
        out.line(Place.write(slot, value))
        return
      }
      switch slot.type {
      case .structure:
        out.line("if let value = \(value) { value.write(to: \(pointer).initStructure()) }")
        out.line("else { \(pointer).clear() }")
      default:
        // A value that is what null reads as needs no words.
        let isDefault =
          slot.defaultValue.isZero || !slot.type.isBytes
          ? "\(value).isEmpty" : "\(value) == \(slot.defaultValue.literal)"
        let clears = slot.defaultValue.isZero || slot.type.isBytes
        if clears {
          out.line("if \(isDefault) { \(pointer).clear() }")
          out.block("else") { emitPointerWrite(slot.type, value, pointer) }
        } else {
          out.block("do") { emitPointerWrite(slot.type, value, pointer) }
        }
      }
    }
  }

  private func emitPointerWrite(_ type: SchemaType, _ value: String, _ pointer: String) {
    switch type {
    case .text: out.line("\(pointer).setText(\(value))")
    case .data: out.line("\(pointer).setData(\(value))")
    case .list(let element):
      out.line(
        "let list = \(pointer).initList(of: \(types.builder(element)).self, count: \(value).count)")
      emitElements(element, value, list: "list", depth: 0)
    default: break
    }
  }

  private func emitElements(_ element: SchemaType, _ values: String, list: String, depth: Int) {
    let (index, value) = depth == 0 ? ("index", "value") : ("index\(depth)", "value\(depth)")
    out.block("for (\(index), \(value)) in \(values).enumerated()") {
      switch element {
      case .structure: out.line("\(value).write(to: \(list)[\(index)])")
      case .list(let inner):
        let name = "list\(depth + 1)"
        out.line("let \(name) = \(list).initList(\(index), count: \(value).count)")
        emitElements(inner, value, list: name, depth: depth + 1)
      default: out.line("\(list)[\(index)] = \(value)")
      }
    }
  }

  /// The type of the value of a field.
  private func valueType(_ field: SchemaField) -> String {
    switch field.kind {
    case .group(let id): types.type(id, "Value")
    case .slot(let slot):
      if case .structure = slot.type { valueType(slot.type) + "?" } else { valueType(slot.type) }
    }
  }

  private func valueType(_ type: SchemaType) -> String {
    switch type {
    case .text: "String"
    case .data: "[UInt8]"
    case .list(let element): "[\(valueType(element))]"
    case .structure(let id, _): types.type(id, "Value")
    default: types.reader(type)
    }
  }

  /// The value that a field has in an empty message.
  private func initialValue(_ field: SchemaField, _ context: StructureContext) -> String {
    switch field.kind {
    case .group(let id): return types.type(id, "Value") + "()"
    case .slot(let slot):
      switch slot.type {
      case .structure: return "nil"
      case .list(let element):
        guard let name = defaultName(slot, in: context.structure) else { return "[]" }
        let list =
          "\(types.namespace(context.id)).\(name).list(of: \(types.elementReader(element)).self)"
        // Numbers are copied as they are; only pointers can be wrong.
        if element.dataBits != nil { return plainValue(slot.type, list) }
        return "(try? \(plainValue(slot.type, list))) ?? []"
      case .enumeration:
        return "\(types.reader(slot.type))(rawValue: \(slot.defaultValue.literal))"
      default: return slot.defaultValue.literal
      }
    }
  }

  /// The expression that takes a field's value out of the message.
  private func takenValue(_ field: SchemaField, _ context: StructureContext) -> String {
    switch field.kind {
    case .group(let id): return "try \(types.type(id, "Value"))(\(readExpression(field, context)))"
    case .slot(let slot):
      if slot.type.dataBits != nil { return Place.read(slot) }
      if case .structure = slot.type {
        let pointer = "_raw.pointer(\(slot.offset))"
        return "\(pointer).isNull ? nil : try \(plainValue(slot.type, "\(pointer).structure()"))"
      }
      let read = readExpression(field, context).dropFirst("try ".count)
      return "try \(plainValue(slot.type, String(read)))"
    }
  }

  /// A view's expression, turned into the plain value of what is viewed.
  private func plainValue(_ type: SchemaType, _ view: String, depth: Int = 0) -> String {
    switch type {
    case .text: return "\(view).string"
    case .data: return "\(view).array"
    case .structure: return "\(valueType(type))(\(view))"
    case .list(let element):
      if element.dataBits != nil { return "\(view).array" }
      let name = depth == 0 ? "element" : "element\(depth)"
      let throwing = element.copiesFreely ? "" : "try "
      return
        "\(view)._values { (\(name): \(types.elementReader(element))) throws(DecodingError) in "
        + "\(throwing)\(plainValue(element, name, depth: depth + 1)) }"
    default: return view
    }
  }

  private func payload(_ field: SchemaField, _ value: String) -> String {
    hasPayload(field) ? "(\(value))" : ""
  }

  private func valueName(_ field: SchemaField) -> String { SwiftName.value(field.memberName) }

  /// Whether the field's struct contains this one, not counting lists.
  private func isRecursive(_ field: SchemaField, _ context: StructureContext) -> Bool {
    guard case .slot(let slot) = field.kind, case .structure(let id, _) = slot.type else {
      return false
    }
    var visited: Set<UInt64> = []
    func reaches(_ id: UInt64) -> Bool {
      if id == context.id { return true }
      guard visited.insert(id).inserted else { return false }
      return (request.nodes[id]?.structure?.fields ?? []).contains { field in
        switch field.kind {
        case .group(let id): reaches(id)
        case .slot(let slot):
          if case .structure(let id, _) = slot.type { reaches(id) } else { false }
        }
      }
    }
    return reaches(id)
  }
}

extension SchemaField {
  /// Whether there is something to store: Void says nothing outside a union.
  fileprivate var hasValue: Bool {
    if case .slot(let slot) = kind { slot.type != .void } else { true }
  }
}

extension SchemaType {
  /// Whether a value is made of a view of the type without following pointers.
  fileprivate var copiesFreely: Bool {
    if case .list(let element) = self { element.dataBits != nil } else { isBytes }
  }

  /// Whether the type is Text or Data.
  var isBytes: Bool { self == .text || self == .data }
}
