import CapnProto

/// The text form of messages: struct literals of the schema language, as `capnp decode` prints and
/// `capnp encode` takes them.
public struct TextCodec: Hashable, Sendable {
  /// Whether long structs and lists are spread over lines.
  public var isPretty: Bool
  /// Bounds on what is read and written.
  public var limits: CodecLimits

  /// A codec of the layout and limits.
  public init(isPretty: Bool = true, limits: CodecLimits = .standard) {
    self.isPretty = isPretty
    self.limits = limits
  }

  /// The struct as text: the bytes of its texts as they are, whether UTF-8 or not.
  ///
  /// - Throws: ``DynamicError`` if the message is damaged; ``CodecError`` if the text passes a
  ///   limit.
  public func encode(_ structure: DynamicStruct.Reader) throws -> [UInt8] {
    var printer = TextPrinter(limits: limits)
    return try printer.text(structure, indent: isPretty ? 1 : 0, mode: .bare)
  }

  /// A value of any type as text.
  ///
  /// - Throws: as ``encode(_:)-(DynamicStruct.Reader)``.
  public func encode(_ value: DynamicValue.Reader) throws -> [UInt8] {
    var printer = TextPrinter(limits: limits)
    return try printer.text(value, indent: isPretty ? 1 : 0, mode: .bare)
  }

  /// Builds the struct from the one literal that the text consists of.
  ///
  /// - Throws: ``CodecError`` that names line and column.
  public func decode(_ text: [UInt8], into builder: DynamicStruct.Builder) throws {
    var source = TextSource(text, limits: limits)
    guard let literal = try source.next() else {
      throw source.error(at: text.count, .unexpectedEnd)
    }
    try source.build(literal, into: builder)
    try source.expectEnd()
  }
}
