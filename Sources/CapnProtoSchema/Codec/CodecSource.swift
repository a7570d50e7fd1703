/// A text that values are read from, one after another.
protocol CodecSource {
  associatedtype Value

  var text: [UInt8] { get }
  var limits: CodecLimits { get }
  /// Where to go on.
  var offset: Int { get set }
  /// Values inside one another that are being read.
  var depth: Int { get set }

  /// Whether a comma may follow the last of several items.
  static var allowsTrailingComma: Bool { get }

  mutating func skipBlanks()
  /// The value that starts here.
  mutating func value() throws(CodecError) -> Value
}

extension CodecSource {
  /// The byte to read next; nil at the end.
  var byte: UInt8? { offset < text.count ? text[offset] : nil }

  /// The next value; nil at the end of the text.
  mutating func next() throws(CodecError) -> Value? {
    skipBlanks()
    return offset == text.count ? nil : try value()
  }

  mutating func expectEnd() throws(CodecError) {
    skipBlanks()
    guard offset == text.count else { throw unexpected("the end of the text") }
  }

  func error(at offset: Int, _ problem: CodecError.Problem) -> CodecError {
    CodecError(.init(offset: offset, in: text), problem)
  }

  /// That something else should stand here.
  func unexpected(_ expected: String) -> CodecError {
    error(at: offset, byte == nil ? .unexpectedEnd : .unexpected(expected: expected))
  }

  /// Reads items with commas between them, from the opening bracket to the closing one.
  mutating func items(
    until close: UInt8, _ item: (inout Self) throws(CodecError) -> Void
  ) throws(CodecError) {
    depth += 1
    guard depth <= limits.nestingDepth else {
      throw error(at: offset, .nestedTooDeep(limit: limits.nestingDepth))
    }
    offset += 1
    skipBlanks()
    var isItemDue = false
    while byte != close || isItemDue {
      try item(&self)
      skipBlanks()
      if byte == close { break }
      guard byte == UInt8(ascii: ",") else {
        throw unexpected("',' or '\(Unicode.Scalar(close))'")
      }
      offset += 1
      skipBlanks()
      isItemDue = !Self.allowsTrailingComma
    }
    offset += 1
    depth -= 1
  }
}

extension UInt8 {
  var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
  var isLetter: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
  }
  /// The value of a hexadecimal digit.
  var hexValue: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
