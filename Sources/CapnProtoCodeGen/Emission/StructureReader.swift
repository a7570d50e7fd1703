import CapnProto
import CapnProtoSchema

extension FileEmitter {
  func emitReader(_ context: StructureContext, name: String) {
    out.line("/// Reads a ``\(name)``.")
    let clause = types.parameterClause(context.id)
    out.block("\(access.frozen)struct Reader\(clause): TypedStructReader, ~Escapable") {
      let structure = context.structure
      out.block(
        "\(access.inlinable)static var _layout: StructLayout",
        "StructLayout(dataWords: \(structure.layout.dataWords), pointers: \(structure.layout.pointers))"
      )
      emitHead(raw: "StructReader")
      for field in context.structure.fieldsInCodeOrder { emitGetter(field, context) }
      if let offset = context.structure.discriminantOffset {
        out.line()
        emitWhichGetter(context, offset: offset)
      }
    }
  }

  private func emitGetter(_ field: SchemaField, _ context: StructureContext) {
    let read = readExpression(field, context)
    switch field.kind {
    case .slot(let slot) where slot.type == .void: return
    default: break
    }
    out.line()
    out.documentation(request.documentation(of: field))
    emitDeprecation(field.annotations)
    let name = SwiftName.escaped(field.memberName)
    let type = readType(field)
    switch field.kind {
    case .slot(let slot) where slot.type.dataBits != nil:
      out.block("\(access.load)var \(name): \(type)", read)
    case .slot(let slot):
      emitPointerGetter(name, type, slot, read)
      out.block(
        "\(access.call)var \(context.testName(field)): Bool", context.isSet(field, slot))
    default: emitView(name, type, read)
    }
  }

  private func emitPointerGetter(
    _ name: String, _ type: String, _ slot: SchemaField.Slot, _ read: String
  ) {
    switch slot.type {
    case .text, .structure, .data, .list(.structure):
      emitView(name, type, read, isInPlace: true, throwing: true)
    case .interface, .anyPointer(.capability):
      out.block("\(access.call)var \(name): \(type)", "get throws(DecodingError) { \(read) }")
    default: emitView(name, type, read, throwing: slot.type.throwsWhenRead)
    }
  }

  /// The type of a field's property in a reader.
  func readType(_ field: SchemaField) -> String {
    switch field.kind {
    case .group(let id): types.type(id, "Reader")
    case .slot(let slot):
      switch slot.type {
      case .interface, .anyPointer(.capability): types.reader(slot.type) + "?"
      default: types.reader(slot.type)
      }
    }
  }

  /// The expression that reads a field, `try` included. It does not go by the property, which may
  /// be deprecated.
  func readExpression(_ field: SchemaField, _ context: StructureContext) -> String {
    switch field.kind {
    case .group(let id): return "\(types.type(id, "Reader"))(_raw: _raw)"
    case .slot(let slot):
      if slot.type.dataBits != nil { return Place.read(slot) }
      if defaultName(slot, in: context.structure) == nil, let method = Place.follow(slot.type) {
        return "try _raw.\(method)(\(slot.offset))"
      }
      let pointer = pointer(slot, context)
      switch slot.type {
      case .text: return "try \(pointer).text()"
      case .data: return "try \(pointer).data()"
      case .structure: return "try \(pointer).structure()"
      case .list: return "try \(pointer).list()"
      case .interface: return "try \(pointer).client()"
      case .anyPointer(.capability): return "try \(pointer).capabilityReference()"
      case .anyPointer(.structure): return "try \(pointer).structure()"
      case .anyPointer(.list): return "try \(pointer).anyList()"
      case .parameter, .implicitParameter: return "try \(types.name(slot.type))._read(\(pointer))"
      default: return pointer
      }
    }
  }

  /// Marks what follows as deprecated where the schema says so.
  func emitDeprecation(_ annotations: [SchemaAnnotation]) {
    guard let message = SwiftAnnotations(annotations).deprecation else { return }
    out.line("@available(*, deprecated, message: \(Literal.string(message)))")
  }

  /// The pointer of a slot, or of its default where it is null.
  func pointer(_ slot: SchemaField.Slot, _ context: StructureContext) -> String {
    guard let name = defaultName(slot, in: context.structure) else {
      return "_raw.pointer(\(slot.offset))"
    }
    return "_raw.pointer(\(slot.offset), default: \(types.namespace(context.id)).\(name))"
  }
}

extension SchemaType {
  /// Whether reading a pointer of the type follows it.
  var throwsWhenRead: Bool { dataBits == nil && self != .anyPointer(.any) }
}

/// Spells reads and writes of places in a struct's sections.
enum Place {
  /// The method that reads what a pointer leads to; nil where a pointer is read as such first.
  static func follow(_ type: SchemaType) -> String? {
    switch type {
    case .text: "readText"
    case .data: "readData"
    case .structure: "readStructure"
    case .list: "readList"
    default: nil
    }
  }

  static func read(_ slot: SchemaField.Slot) -> String {
    let method =
      switch slot.type {
      case .bool: "readBool"
      case .enumeration: "readEnum"
      default: "read"
      }
    return "_raw.\(method)(\(slot.offset)\(defaultArgument(slot)))"
  }

  static func write(_ slot: SchemaField.Slot, _ value: String = "newValue") -> String {
    let method =
      switch slot.type {
      case .bool: "writeBool"
      case .enumeration: "writeEnum"
      default: "write"
      }
    return "_raw.\(method)(\(slot.offset), \(value)\(defaultArgument(slot)))"
  }

  private static func defaultArgument(_ slot: SchemaField.Slot) -> String {
    slot.defaultValue.isZero ? "" : ", default: \(slot.defaultValue.literal)"
  }
}
