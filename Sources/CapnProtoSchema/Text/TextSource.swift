import CapnProto

/// A value as text has it, before it is known what type it should have.
indirect enum TextLiteral {
  case integer(magnitude: UInt64, isNegative: Bool)
  /// Digits with a point or an exponent.
  case decimal(DecimalNumber)
  case negativeInfinity
  case string([UInt8])
  case data([UInt8])
  case name(String)
  case list([Located])
  /// Fields of a struct in the order of the text; `name` is nil where the text has none.
  case tuple([(name: String?, value: Located)])

  /// A literal and the offset at which it starts.
  struct Located {
    let literal: TextLiteral
    let offset: Int
  }
}

/// Reads literals, one after another, from a text.
struct TextSource: CodecSource {
  let text: [UInt8]
  let limits: CodecLimits
  var offset = 0
  var depth = 0
  static var allowsTrailingComma: Bool { true }

  init(_ text: [UInt8], limits: CodecLimits) {
    self.text = text
    self.limits = limits
  }

  mutating func skipBlanks() {
    while let byte {
      if byte == UInt8(ascii: "#") {
        while let byte = self.byte, byte != UInt8(ascii: "\n") { offset += 1 }
      } else if byte == 0x20 || (0x09...0x0d).contains(byte) {
        offset += 1
      } else {
        return
      }
    }
  }

  mutating func value() throws(CodecError) -> TextLiteral.Located {
    skipBlanks()
    let start = offset
    guard let first = byte else { throw error(at: start, .unexpectedEnd) }
    let literal: TextLiteral
    switch first {
    case UInt8(ascii: "("): literal = try tuple()
    case UInt8(ascii: "["): literal = try list()
    case UInt8(ascii: "\""): literal = .string(try strings())
    case UInt8(ascii: "-"):
      offset += 1
      skipBlanks()
      literal = try negated()
    case UInt8(ascii: "0")...UInt8(ascii: "9"): literal = try number(isNegative: false)
    default:
      guard let name = name() else {
        throw error(at: start, .unexpected(expected: "a value"))
      }
      literal = .name(name)
    }
    return TextLiteral.Located(literal: literal, offset: start)
  }

  private mutating func negated() throws(CodecError) -> TextLiteral {
    let start = offset
    if let byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      return try number(isNegative: true)
    }
    guard name() == "inf" else { throw error(at: start, .unexpected(expected: "a number")) }
    return .negativeInfinity
  }

  private mutating func name() -> String? {
    let start = offset
    while let byte, byte.isLetter || offset > start && byte.isDigit || byte == UInt8(ascii: "_") {
      offset += 1
    }
    return offset == start ? nil : String(decoding: text[start..<offset], as: UTF8.self)
  }

  private mutating func list() throws(CodecError) -> TextLiteral {
    var elements: [TextLiteral.Located] = []
    try items(until: UInt8(ascii: "]")) { (source) throws(CodecError) in
      elements.append(try source.value())
    }
    return .list(elements)
  }

  private mutating func tuple() throws(CodecError) -> TextLiteral {
    var fields: [(name: String?, value: TextLiteral.Located)] = []
    try items(until: UInt8(ascii: ")")) { (source) throws(CodecError) in
      let start = source.offset
      if let name = source.name() {
        source.skipBlanks()
        if source.byte == UInt8(ascii: "=") {
          source.offset += 1
          fields.append((name, try source.value()))
          return
        }
        source.offset = start
      }
      fields.append((nil, try source.value()))
    }
    return .tuple(fields)
  }
}

// Tokens.
extension TextSource {
  /// Strings that stand beside one another are one.
  private mutating func strings() throws(CodecError) -> [UInt8] {
    var bytes: [UInt8] = []
    repeat {
      try string(&bytes)
      skipBlanks()
    } while byte == UInt8(ascii: "\"")
    return bytes
  }

  private mutating func string(_ bytes: inout [UInt8]) throws(CodecError) {
    offset += 1
    while let byte, byte != UInt8(ascii: "\"") {
      switch byte {
      case UInt8(ascii: "\n"):
        throw error(at: offset, .unexpected(expected: "'\"' before the end of the line"))
      case UInt8(ascii: "\\"): bytes.append(try escape())
      default:
        bytes.append(byte)
        offset += 1
      }
    }
    guard byte != nil else { throw error(at: offset, .unexpectedEnd) }
    offset += 1
  }

  private mutating func escape() throws(CodecError) -> UInt8 {
    let start = offset
    offset += 1
    guard let letter = byte else { throw error(at: offset, .unexpectedEnd) }
    offset += 1
    switch letter {
    case UInt8(ascii: "?"): return letter
    case UInt8(ascii: "x"):
      guard let high = byte?.hexValue else { throw error(at: start, .invalidEscape) }
      offset += 1
      guard let low = byte?.hexValue else { throw error(at: start, .invalidEscape) }
      offset += 1
      return high << 4 | low
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      var value = Int(letter - UInt8(ascii: "0"))
      for _ in 0..<2 {
        guard let digit = byte, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else {
          break
        }
        value = value << 3 | Int(digit - UInt8(ascii: "0"))
        offset += 1
      }
      guard value <= 0xff else { throw error(at: start, .invalidEscape) }
      return UInt8(value)
    default:
      guard let meant = TextPrinter.escapes.first(where: { $0.value == letter }) else {
        throw error(at: start, .invalidEscape)
      }
      return meant.key
    }
  }

  /// An integer in decimal, hexadecimal or octal digits, a float, or data.
  private mutating func number(isNegative: Bool) throws(CodecError) -> TextLiteral {
    let start = offset
    if text[offset...].starts(with: "0x\"".utf8), !isNegative { return .data(try hexData()) }
    if text[offset...].starts(with: "0x".utf8) {
      offset += 2
      return try integer(from: start, radix: 16, isNegative: isNegative)
    }
    var isFloat = false
    while let byte {
      switch byte {
      case UInt8(ascii: "."): isFloat = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        isFloat = true
        if offset + 1 < text.count,
          [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(text[offset + 1])
        {
          offset += 1
        }
      case let byte where byte.isDigit: break
      case let byte where byte.isLetter:
        throw error(at: start, .invalidNumber(token(from: start, to: offset + 1)))
      default: return try finish(from: start, isFloat: isFloat, isNegative: isNegative)
      }
      offset += 1
    }
    return try finish(from: start, isFloat: isFloat, isNegative: isNegative)
  }

  private func token(from start: Int, to end: Int) -> String {
    String(decoding: text[start..<min(end, text.count)].prefix(40), as: UTF8.self)
  }

  private mutating func finish(
    from start: Int, isFloat: Bool, isNegative: Bool
  ) throws(CodecError) -> TextLiteral {
    if isFloat {
      let sign: [UInt8] = isNegative ? [UInt8(ascii: "-")] : []
      guard let number = DecimalNumber(sign + text[start..<offset]) else {
        throw error(at: start, .invalidNumber(token(from: start, to: offset)))
      }
      return .decimal(number)
    }
    let isOctal = text[start] == UInt8(ascii: "0") && offset > start + 1
    offset = start
    return try integer(from: start, radix: isOctal ? 8 : 10, isNegative: isNegative)
  }

  private mutating func integer(
    from start: Int, radix: UInt64, isNegative: Bool
  ) throws(CodecError) -> TextLiteral {
    let digits = offset
    var magnitude: UInt64 = 0
    while let byte, byte.isDigit || byte.isLetter {
      guard let digit = byte.hexValue, digit < radix else {
        throw error(at: start, .invalidNumber(token(from: start, to: offset + 1)))
      }
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: radix)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carry else {
        let number = text[start...].prefix { $0.isDigit || $0.isLetter }
        throw error(
          at: start, .value(.outOfRange(DecimalNumber.shortened(number), type: "UInt64")))
      }
      magnitude = sum
      offset += 1
    }
    guard offset > digits else {
      throw error(at: start, .invalidNumber(token(from: start, to: offset + 1)))
    }
    return .integer(magnitude: magnitude, isNegative: isNegative)
  }

  /// Pairs of hexadecimal digits, which blanks may separate.
  private mutating func hexData() throws(CodecError) -> [UInt8] {
    offset += 3
    var bytes: [UInt8] = []
    var high: UInt8?
    while let byte, byte != UInt8(ascii: "\"") {
      if let digit = byte.hexValue {
        if let first = high {
          bytes.append(first << 4 | digit)
          high = nil
        } else {
          high = digit
        }
      } else if byte != 0x20 && !(0x09...0x0d).contains(byte) || high != nil {
        throw error(at: offset, .invalidBytes)
      }
      offset += 1
    }
    guard byte != nil else { throw error(at: offset, .unexpectedEnd) }
    guard high == nil else { throw error(at: offset, .invalidBytes) }
    offset += 1
    return bytes
  }
}
