import CapnProto

/// Prints values as the C++ implementation does, so that its text and ours are the same.
struct TextPrinter {
  private var budget: PrintBudget

  /// What stands before a value on its line.
  enum Mode {
    /// Nothing, or an opening bracket.
    case bare
    /// The name of a field.
    case prefixed
  }

  init(limits: CodecLimits) { budget = PrintBudget(limits: limits) }

  mutating func text(
    _ value: DynamicValue.Reader, indent: Int, mode: Mode
  ) throws -> [UInt8] {
    switch value {
    case .void: Array("void".utf8)
    case .bool(let value): Array((value ? "true" : "false").utf8)
    case .int(let value): Array(String(value).utf8)
    case .uint(let value): Array(String(value).utf8)
    case .float32(let value): Array(FloatText.text(value).utf8)
    case .float64(let value): Array(FloatText.text(value).utf8)
    case .text(let text): try quoted(text.bytes, isBinary: false)
    case .data(let data): try quoted(data.bytes, isBinary: true)
    case .enumerant(let value):
      Array((value.enumerant?.name ?? "(\(value.number))").utf8)
    case .list(let list): try text(list, indent: indent, mode: mode)
    case .structure(let structure): try text(structure, indent: indent, mode: mode)
    case .capability: Array("<external capability>".utf8)
    case .anyPointer: Array("<opaque pointer>".utf8)
    }
  }

  mutating func text(
    _ structure: DynamicStruct.Reader, indent: Int, mode: Mode
  ) throws -> [UInt8] {
    try budget.enter()
    defer { budget.leave() }
    let node = structure.schema.node
    // The union's member goes where its number puts it. The first member is left out while it is
    // null, as the union stands there by itself.
    var member = structure.which
    if let field = member, field.discriminant == 0, !structure.has(field) { member = nil }
    var items = PrintedItems(open: "(")
    for index in node.fieldsOutsideUnion {
      if let field = member, field.index < index {
        items.append(try item(field, structure, indent: indent))
        member = nil
      }
      if structure.has(node.fields[index]) {
        items.append(try item(node.fields[index], structure, indent: indent))
      }
    }
    if let member { items.append(try item(member, structure, indent: indent)) }
    try budget.take(bytes: items.bytes)
    return items.joined(close: ")", indent: indent, mode: mode, mostBytes: 64)
  }

  private mutating func item(
    _ field: SchemaField, _ structure: DynamicStruct.Reader, indent: Int
  ) throws -> [UInt8] {
    Array("\(field.name) = ".utf8)
      + (try text(try structure.get(field), indent: next(indent), mode: .prefixed))
  }

  private mutating func text(
    _ list: DynamicList.Reader, indent: Int, mode: Mode
  ) throws -> [UInt8] {
    try budget.enter()
    defer { budget.leave() }
    var items = PrintedItems(open: "[")
    for index in list.indices {
      items.append(try text(try list.get(index), indent: next(indent), mode: .bare))
      // Elements of no size cost the message nothing, so each counts here at least.
      try budget.take(bytes: 2)
    }
    try budget.take(bytes: items.bytes)
    return items.joined(close: "]", indent: indent, mode: mode, mostBytes: .max)
  }

  private func next(_ indent: Int) -> Int { indent == 0 ? 0 : indent + 1 }

  private mutating func quoted(_ bytes: Span<UInt8>, isBinary: Bool) throws -> [UInt8] {
    var text = [UInt8(ascii: "\"")]
    text.reserveCapacity(bytes.count + 2)
    for index in bytes.indices {
      let byte = bytes[index]
      if let letter = Self.escapes[byte] {
        text += [UInt8(ascii: "\\"), letter]
      } else if byte < 0x20 || byte == 0x7f || isBinary && byte > 0x7f {
        text += [
          UInt8(ascii: "\\"), UInt8(ascii: "0") + byte >> 6, UInt8(ascii: "0") + byte >> 3 & 7,
          UInt8(ascii: "0") + byte & 7,
        ]
      } else {
        text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
    try budget.take(bytes: text.count)
    return text
  }

  /// Bytes that are written as a backslash and a letter.
  static let escapes: [UInt8: UInt8] = [
    0x07: UInt8(ascii: "a"), 0x08: UInt8(ascii: "b"), 0x0c: UInt8(ascii: "f"),
    0x0a: UInt8(ascii: "n"), 0x0d: UInt8(ascii: "r"), 0x09: UInt8(ascii: "t"),
    0x0b: UInt8(ascii: "v"), 0x27: 0x27, 0x22: 0x22, 0x5c: 0x5c,
  ]
}
