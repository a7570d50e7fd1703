/// Floats as the C++ implementation writes them: fewest of two counts of digits from which the
/// number is read back, without a plus sign in the exponent.
enum FloatText {
  static func text(_ value: Double) -> String {
    text(value, digits: (15, 17), isNormal: value.isNormal, shortest: value.magnitude.description) {
      Double($0) == value
    }
  }

  static func text(_ value: Float) -> String {
    // Every Float is a Double, of the same digits.
    text(
      Double(value), digits: (6, 8), isNormal: value.isNormal,
      shortest: value.magnitude.description
    ) {
      // C reports what is read as a subnormal Float as an error.
      value.isNormal && Float($0) == value
    }
  }

  private static func text(
    _ value: Double, digits: (few: Int, many: Int), isNormal: Bool, shortest: String,
    isRead: (String) -> Bool
  ) -> String {
    if value.isNaN { return "nan" }
    let sign = value.sign == .minus ? "-" : ""
    if value.isInfinite { return sign + "inf" }
    if value == 0 { return sign + "0" }
    // A normal number is the nearest to any text of so few digits that reads as it.
    let short = Decimal(shortest)
    if isNormal, short.digits.count <= digits.few { return sign + short.general(digits.few) }
    let exact = Decimal(exactly: value.magnitude)
    let few = sign + exact.rounded(to: digits.few).general(digits.few)
    return isRead(few) ? few : sign + exact.rounded(to: digits.many).general(digits.many)
  }
}

/// A positive decimal number: the first digit is that of 10 to the exponent.
private struct Decimal {
  var digits: [UInt8]
  var exponent: Int

  /// Reads the standard library's description of a float.
  init(_ description: String) {
    digits = []
    exponent = 0
    var point: Int?
    var utf8 = Substring(description).utf8
    while let byte = utf8.popFirst() {
      switch byte {
      case UInt8(ascii: "."): point = digits.count
      case UInt8(ascii: "e"):
        exponent = Int(String(Substring(utf8))) ?? 0
        utf8 = Substring().utf8
      default: digits.append(byte - UInt8(ascii: "0"))
      }
    }
    exponent += (point ?? digits.count) - 1
    trim()
  }

  /// All digits of a float: it is a whole number over a power of two, which is one over a power of
  /// ten times as many fives.
  init(exactly value: Double) {
    let shift = Int(value.exponent) - value.significandWidth
    var limbs = Limbs(
      UInt64(
        value.significand * Double(sign: .plus, exponent: value.significandWidth, significand: 1)))
    for _ in 0..<max(shift, 0) { limbs.multiply(by: 2) }
    for _ in 0..<max(-shift, 0) { limbs.multiply(by: 5) }
    digits = limbs.digits
    exponent = digits.count - 1 + min(shift, 0)
    trim()
  }

  private mutating func trim() {
    let leading = digits.prefix { $0 == 0 }.count
    digits.removeFirst(leading)
    exponent -= leading
    while digits.last == 0 { digits.removeLast() }
  }

  /// The nearest number of at most so many digits; of two, the even one.
  func rounded(to count: Int) -> Decimal {
    guard digits.count > count else { return self }
    var result = self
    result.digits.removeLast(digits.count - count)
    let rest = digits[count...]
    let isUp =
      rest[count] > 5 || rest[count] == 5 && (rest.count > 1 || digits[count - 1] % 2 == 1)
    if isUp {
      var index = count - 1
      while index >= 0, result.digits[index] == 9 {
        result.digits[index] = 0
        index -= 1
      }
      if index >= 0 {
        result.digits[index] += 1
      } else {
        result.digits.insert(1, at: 0)
        result.exponent += 1
      }
    }
    result.trim()
    return result
  }

  /// The number in C's general format of a precision, less trailing zeros and plus sign.
  func general(_ precision: Int) -> String {
    let text = digits.map { String($0) }
    if exponent < -4 || exponent >= precision {
      let fraction = text.count > 1 ? "." + text[1...].joined() : ""
      let size = String(exponent.magnitude)
      let padded = size.utf8.count < 2 ? "0" + size : size
      return text[0] + fraction + "e" + (exponent < 0 ? "-" : "") + padded
    }
    if exponent < 0 {
      return "0." + String(repeating: "0", count: -exponent - 1) + text.joined()
    }
    let whole = text.prefix(exponent + 1)
    let zeros = String(repeating: "0", count: exponent + 1 - whole.count)
    let fraction = text.dropFirst(exponent + 1)
    return whole.joined() + zeros + (fraction.isEmpty ? "" : "." + fraction.joined())
  }
}

/// A whole number in limbs of nine decimal digits, least first.
private struct Limbs {
  private var limbs: [UInt64] = []
  private static var base: UInt64 { 1_000_000_000 }

  init(_ number: UInt64) {
    var number = number
    while number > 0 {
      limbs.append(number % Self.base)
      number /= Self.base
    }
  }

  mutating func multiply(by factor: UInt64) {
    var carry: UInt64 = 0
    for index in limbs.indices {
      let product = limbs[index] * factor + carry
      limbs[index] = product % Self.base
      carry = product / Self.base
    }
    if carry > 0 { limbs.append(carry) }
  }

  /// Most significant first, with leading zeros.
  var digits: [UInt8] {
    var digits: [UInt8] = []
    for limb in limbs {
      var limb = limb
      for _ in 0..<9 {
        digits.append(UInt8(limb % 10))
        limb /= 10
      }
    }
    return digits.reversed()
  }
}
