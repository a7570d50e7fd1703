/// Writes numbers as sixteen hexadecimal digits.
enum Hexadecimal {
  static func digits(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// Writes values as Swift literals.
enum Literal {
  static func hexadecimal(_ value: UInt64) -> String { "0x" + Hexadecimal.digits(value) }

  static func float(_ value: Float) -> String {
    value.isFinite
      ? value.description : "Float(bitPattern: 0x\(String(value.bitPattern, radix: 16)))"
  }

  static func double(_ value: Double) -> String {
    value.isFinite
      ? value.description : "Double(bitPattern: 0x\(String(value.bitPattern, radix: 16)))"
  }

  static func bytes(_ bytes: [UInt8]) -> String {
    "[" + bytes.map { String($0) }.joined(separator: ", ") + "]"
  }

  static func string(_ text: String) -> String {
    var literal = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": literal += "\\\""
      case "\\": literal += "\\\\"
      case "\n": literal += "\\n"
      case "\t": literal += "\\t"
      case "\r": literal += "\\r"
      case _
      where scalar.properties.generalCategory == .control
        || scalar.properties.generalCategory == .format:
        literal += "\\u{\(String(scalar.value, radix: 16))}"
      default: literal.unicodeScalars.append(scalar)
      }
    }
    return literal + "\""
  }
}
