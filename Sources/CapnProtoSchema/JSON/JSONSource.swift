/// Reads JSON values (RFC 8259), one after another, from a text.
struct JSONSource: CodecSource {
  let text: [UInt8]
  let limits: CodecLimits
  var offset = 0
  var depth = 0
  static var allowsTrailingComma: Bool { false }

  init(_ text: [UInt8], limits: CodecLimits) {
    self.text = text
    self.limits = limits
  }

  mutating func skipBlanks() {
    while let byte, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { offset += 1 }
  }

  mutating func value() throws(CodecError) -> JSONValue {
    let start = offset
    let kind: JSONValue.Kind
    switch byte {
    case UInt8(ascii: "n"): kind = try literal("null", .null)
    case UInt8(ascii: "t"): kind = try literal("true", .bool(true))
    case UInt8(ascii: "f"): kind = try literal("false", .bool(false))
    case UInt8(ascii: "\""): kind = .string(try string())
    case UInt8(ascii: "["):
      var elements: [JSONValue] = []
      try items(until: UInt8(ascii: "]")) { (source) throws(CodecError) in
        elements.append(try source.value())
      }
      kind = .array(elements)
    case UInt8(ascii: "{"):
      var members: [(name: String, value: JSONValue)] = []
      try items(until: UInt8(ascii: "}")) { (source) throws(CodecError) in
        members.append(try source.member())
      }
      kind = .object(members)
    case let byte? where byte.isDigit || byte == UInt8(ascii: "-"): kind = .number(try number())
    default: throw unexpected("a value")
    }
    return JSONValue(kind, offset: start)
  }

  private mutating func literal(
    _ word: String, _ kind: JSONValue.Kind
  ) throws(CodecError) -> JSONValue.Kind {
    guard text[offset...].starts(with: word.utf8) else { throw unexpected("'\(word)'") }
    offset += word.utf8.count
    return kind
  }

  private mutating func member() throws(CodecError) -> (name: String, value: JSONValue) {
    guard byte == UInt8(ascii: "\"") else { throw unexpected("a name in quotes") }
    let name = String(decoding: try string(), as: UTF8.self)
    skipBlanks()
    guard byte == UInt8(ascii: ":") else { throw unexpected("':'") }
    offset += 1
    skipBlanks()
    return (name, try value())
  }

  private mutating func number() throws(CodecError) -> String {
    let start = offset
    if byte == UInt8(ascii: "-") { offset += 1 }
    if byte == UInt8(ascii: "0") { offset += 1 } else { try digits() }
    if byte == UInt8(ascii: ".") {
      offset += 1
      try digits()
    }
    if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
      offset += 1
      if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { offset += 1 }
      try digits()
    }
    return String(decoding: text[start..<offset], as: UTF8.self)
  }

  private mutating func digits() throws(CodecError) {
    guard byte?.isDigit == true else { throw unexpected("a digit") }
    while byte?.isDigit == true { offset += 1 }
  }

  private mutating func string() throws(CodecError) -> [UInt8] {
    offset += 1
    var bytes: [UInt8] = []
    while let byte, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw unexpected("an escape sequence for a control character") }
      if byte == UInt8(ascii: "\\") {
        try escape(&bytes)
      } else {
        bytes.append(byte)
        offset += 1
      }
    }
    guard byte != nil else { throw error(at: offset, .unexpectedEnd) }
    offset += 1
    return bytes
  }

  private mutating func escape(_ bytes: inout [UInt8]) throws(CodecError) {
    let start = offset
    offset += 1
    guard let letter = byte else { throw error(at: offset, .unexpectedEnd) }
    offset += 1
    if letter == UInt8(ascii: "u") {
      let unit = try codeUnit(from: start)
      var scalar = UInt32(unit)
      if unit & 0xfc00 == 0xd800 {
        // The two halves of a character outside of the basic plane.
        guard text[offset...].starts(with: "\\u".utf8) else {
          throw error(at: start, .invalidEscape)
        }
        offset += 2
        let low = try codeUnit(from: start)
        guard low & 0xfc00 == 0xdc00 else { throw error(at: start, .invalidEscape) }
        scalar = 0x10000 + (UInt32(unit & 0x3ff) << 10 | UInt32(low & 0x3ff))
      }
      guard let character = Unicode.Scalar(scalar) else {
        throw error(at: start, .invalidEscape)
      }
      bytes += String(Character(character)).utf8
    } else if letter == UInt8(ascii: "/") {
      bytes.append(letter)
    } else if let meant = JSONValue.escapes.first(where: { $0.value == letter }) {
      bytes.append(meant.key)
    } else {
      throw error(at: start, .invalidEscape)
    }
  }

  private mutating func codeUnit(from start: Int) throws(CodecError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = byte?.hexValue else { throw error(at: start, .invalidEscape) }
      unit = unit << 4 | UInt16(digit)
      offset += 1
    }
    return unit
  }
}
