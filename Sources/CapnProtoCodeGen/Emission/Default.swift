import CapnProtoSchema

extension FileEmitter {
  /// Writes the defaults of pointer fields, which readers refer to where the pointer is null.
  func emitDefaults(_ structure: StructNode) throws {
    for field in structure.fieldsInCodeOrder {
      guard case .slot(let slot) = field.kind, let name = defaultName(slot, in: structure) else {
        continue
      }
      let words = try slot.defaultValue.words().map { "0x" + String($0, radix: 16) }
      out.line()
      out.line(
        "\(access.stored)static let \(name) = ConstantMessage(words: "
          + "[\(words.joined(separator: ", "))])")
    }
  }

  /// The name of the constant that holds a pointer field's default; nil where it has none.
  func defaultName(_ slot: SchemaField.Slot, in structure: StructNode) -> String? {
    guard slot.type.dataBits == nil, !slot.defaultValue.isZero else { return nil }
    let field = structure.fields.first { field in
      if case .slot(let other) = field.kind {
        other.type == slot.type && other.offset == slot.offset
          && other.defaultValue == slot.defaultValue
      } else {
        false
      }
    }
    return field.map { "_\($0.name)Default" }
  }
}
