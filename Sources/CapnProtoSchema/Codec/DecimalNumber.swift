import CapnProto

/// A number in decimal digits, with all the digits that a text has.
///
/// An integer type takes its value exactly, and a float type rounds it once: neither goes through
/// a type of fewer digits first.
struct DecimalNumber {
  private let isNegative: Bool
  /// The digits, the most significant first, without zeros at either end; empty for zero.
  private let digits: ArraySlice<UInt8>
  /// The power of ten by which the digits, taken as an integer, are multiplied.
  private let exponent: Int
  /// The text, cut off where it is long, for errors.
  let text: String

  /// Reads a sign, digits with a decimal point and an exponent; nil where the text is something
  /// else. Only one digit has to be there.
  init?(_ text: some Collection<UInt8>) {
    var digits: [UInt8] = []
    var scale = 0
    var power: (value: Int, isNegative: Bool)?
    var hasPoint = false
    var previous: UInt8?
    for (offset, byte) in text.enumerated() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        if let value = power?.value {
          // What is past the exponents of all types stays past them.
          power?.value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 1 << 40)
        } else {
          digits.append(byte)
          if hasPoint { scale -= 1 }
        }
      case UInt8(ascii: "-"), UInt8(ascii: "+"):
        let isAfterE = previous == UInt8(ascii: "e") || previous == UInt8(ascii: "E")
        guard offset == 0 || isAfterE else { return nil }
        if isAfterE { power?.isNegative = byte == UInt8(ascii: "-") }
      case UInt8(ascii: "."):
        guard !hasPoint, power == nil else { return nil }
        hasPoint = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        guard power == nil, !digits.isEmpty else { return nil }
        power = (0, false)
      default: return nil
      }
      previous = byte
    }
    // An exponent ends with a digit of its own; a point may end the number.
    guard !digits.isEmpty, let previous, previous.isDigit || previous == UInt8(ascii: ".") else {
      return nil
    }
    isNegative = text.first == UInt8(ascii: "-")
    let significant = digits.lastIndex { $0 != UInt8(ascii: "0") }.map { $0 + 1 } ?? 0
    let trailing = digits.count - significant
    self.digits = digits[..<significant].drop { $0 == UInt8(ascii: "0") }
    exponent = scale + trailing + (power.map { $0.isNegative ? -$0.value : $0.value } ?? 0)
    self.text = Self.shortened(text)
  }

  /// The number as an integer type has it.
  ///
  /// - Throws: ``CodecError/Problem`` if it is not an integer, or one that the type does not have.
  func integer<Number: FixedWidthInteger>(
    as _: Number.Type, named type: String
  ) throws -> Number {
    guard exponent >= 0 || digits.isEmpty else { throw CodecError.Problem.invalidNumber(text) }
    let outOfRange = CodecError.Problem.value(.outOfRange(text, type: type))
    var number: Number = 0
    func append(_ digit: UInt8) throws {
      let (product, overflows) = number.multipliedReportingOverflow(by: 10)
      let digit = Number(digit - UInt8(ascii: "0"))
      let (sum, carries) =
        isNegative
        ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
      guard !overflows, !carries else { throw outOfRange }
      number = sum
    }
    for digit in digits { try append(digit) }
    guard number != 0 else { return 0 }
    // Ends by overflow, after some twenty zeros at the most.
    for _ in 0..<exponent { try append(UInt8(ascii: "0")) }
    return number
  }

  /// The nearest number of a float type.
  ///
  /// - Throws: ``CodecError/Problem`` if that is infinite.
  func float<Number: BinaryFloatingPoint & LosslessStringConvertible>(
    as _: Number.Type, named type: String
  ) throws -> Number {
    let digits = digits.isEmpty ? "0" : String(decoding: digits, as: UTF8.self)
    guard let number = Number("\(isNegative ? "-" : "")\(digits)e\(exponent)"), number.isFinite
    else { throw CodecError.Problem.value(.outOfRange(text, type: type)) }
    return number
  }

  /// The text of a number as an error shows it.
  static func shortened(_ text: some Collection<UInt8>) -> String {
    String(decoding: text.prefix(40), as: UTF8.self) + (text.count > 40 ? "…" : "")
  }
}

extension DynamicValue.Builder {
  /// Sets a number.
  ///
  /// - Throws: ``DynamicError`` if the type is not a number, ``CodecError/Problem`` if it does not
  ///   have this one.
  func set(decimal number: DecimalNumber) throws {
    let name = "\(type)"
    switch type {
    case .int8: try set(integer: number.integer(as: Int8.self, named: name))
    case .int16: try set(integer: number.integer(as: Int16.self, named: name))
    case .int32: try set(integer: number.integer(as: Int32.self, named: name))
    case .int64: try set(integer: number.integer(as: Int64.self, named: name))
    case .uint8: try set(integer: number.integer(as: UInt8.self, named: name))
    case .uint16: try set(integer: number.integer(as: UInt16.self, named: name))
    case .uint32: try set(integer: number.integer(as: UInt32.self, named: name))
    case .uint64: try set(integer: number.integer(as: UInt64.self, named: name))
    case .float32: try set(float32: number.float(as: Float.self, named: name))
    default: try set(float: number.float(as: Double.self, named: "Float64"))
    }
  }
}
