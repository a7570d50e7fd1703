/// A JSON value, as it is read or before it is written.
struct JSONValue {
  let kind: Kind
  /// The byte at which the value starts in the text that it was read from.
  var offset = 0

  indirect enum Kind {
    case null
    case bool(Bool)
    /// The literal, as it stands in the text: it may say more than a Double can.
    case number(String)
    /// UTF-8, as far as the message had it.
    case string([UInt8])
    case array([JSONValue])
    /// Members in the order of the text.
    case object([(name: String, value: JSONValue)])
  }

  init(_ kind: Kind, offset: Int = 0) {
    self.kind = kind
    self.offset = offset
  }

  /// The kind of the value, for people.
  var name: String {
    switch kind {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSONValue {
  /// Writes the value in the layout of the C++ implementation.
  ///
  /// Spread over lines is what has more than one item, of which one is itself spread, or longer
  /// than 50 bytes.
  func text(isPretty: Bool) -> [UInt8] {
    var isSpread = false
    return text(isPretty: isPretty, indent: 0, isSpread: &isSpread, hasPrefix: false)
  }

  private func text(
    isPretty: Bool, indent: Int, isSpread: inout Bool, hasPrefix: Bool
  ) -> [UInt8] {
    switch kind {
    case .null: return Array("null".utf8)
    case .bool(let value): return Array((value ? "true" : "false").utf8)
    case .number(let literal): return Array(literal.utf8)
    case .string(let bytes): return Self.quoted(bytes)
    case .array(let elements):
      var isInnerSpread = false
      let items = elements.map {
        $0.text(
          isPretty: isPretty, indent: indent + (elements.count > 1 ? 1 : 0),
          isSpread: &isInnerSpread, hasPrefix: false)
      }
      let layout = Layout(
        items, isPretty: isPretty, isInnerSpread: isInnerSpread, indent: indent,
        hasPrefix: hasPrefix)
      if layout.isSpread { isSpread = true }
      return [UInt8(ascii: "[")] + layout.text + [UInt8(ascii: "]")]
    case .object(let members):
      var isInnerSpread = false
      let items = members.map { member in
        Self.quoted(Array(member.name.utf8)) + Array((isPretty ? ": " : ":").utf8)
          + member.value.text(
            isPretty: isPretty, indent: indent + (members.count > 1 ? 1 : 0),
            isSpread: &isInnerSpread, hasPrefix: true)
      }
      let layout = Layout(
        items, isPretty: isPretty, isInnerSpread: isInnerSpread, indent: indent,
        hasPrefix: hasPrefix)
      if layout.isSpread { isSpread = true }
      return [UInt8(ascii: "{")] + layout.text + [UInt8(ascii: "}")]
    }
  }

  /// How the items of an array or object are put beside one another.
  private struct Layout {
    let text: [UInt8]
    let isSpread: Bool

    init(
      _ items: [[UInt8]], isPretty: Bool, isInnerSpread: Bool, indent: Int, hasPrefix: Bool
    ) {
      isSpread =
        isPretty && items.count > 1 && (isInnerSpread || items.contains { $0.count > 50 })
      guard isSpread else {
        text = Array(items.joined(separator: Array((isPretty ? ", " : ",").utf8)))
        return
      }
      let line = Array(("\n" + String(repeating: "  ", count: indent + 1)).utf8)
      text =
        (hasPrefix ? line : [UInt8(ascii: " ")])
        + items.joined(separator: [UInt8(ascii: ",")] + line) + [UInt8(ascii: " ")]
    }
  }

  private static func quoted(_ bytes: [UInt8]) -> [UInt8] {
    var text = [UInt8(ascii: "\"")]
    text.reserveCapacity(bytes.count + 2)
    for byte in bytes {
      if let letter = escapes[byte] {
        text += [UInt8(ascii: "\\"), letter]
      } else if byte < 0x20 {
        text += "\\u00".utf8
        text += String(byte >> 4, radix: 16).utf8
        text += String(byte & 15, radix: 16).utf8
      } else {
        text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
    return text
  }

  /// Bytes that are written as a backslash and a letter.
  static let escapes: [UInt8: UInt8] = [
    0x22: 0x22, 0x5c: 0x5c, 0x08: UInt8(ascii: "b"), 0x0c: UInt8(ascii: "f"),
    0x0a: UInt8(ascii: "n"), 0x0d: UInt8(ascii: "r"), 0x09: UInt8(ascii: "t"),
  ]
}
