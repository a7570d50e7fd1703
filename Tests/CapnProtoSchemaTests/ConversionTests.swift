import CapnProto
import CapnProtoSchema
import Testing

/// Forms of messages, compared with the `capnp convert` command.
@Suite struct ConversionTests {
  /// A text for each of two messages: the first has many words of every density.
  private static func texts(_ count: Int) -> String {
    let numbers = (0..<3000).map { "\($0 * $0 * $0 * 7919 % 65521)" }.joined(separator: ", ")
    let first = """
      (text = "one", int64s = [\(numbers)], uint64s = [0, 0, 0, 18446744073709551615, 0],
       children = [(int8 = 1), ()], data = "\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\t\\n",
       bools = [true, false, true])
      """
    return count == 1 ? first : first + "\n(child = (texts = [\"a\", \"\"]), number = 3)\n"
  }

  /// Converts the input, which arrives in chunks of the size.
  private static func convert(
    _ from: MessageForm, _ to: MessageForm, _ input: [UInt8], chunk: Int,
    options: MessageConverter.Options = .init()
  ) throws -> [UInt8] {
    var converter = try MessageConverter(
      from: from, to: to, schema: try Oracle.everything(), options: options)
    var output: [UInt8] = []
    for start in stride(from: 0, to: input.count, by: chunk) {
      try converter.take(Array(input[start..<min(start + chunk, input.count)])) { output += $0 }
    }
    try converter.finish { output += $0 }
    return output
  }

  /// The forms of which only one message fits an input.
  private static let single: Set<MessageForm> = [.flat, .flatPacked, .canonical]

  @Test(arguments: MessageForm.allCases)
  func formsAreConvertedAsTheToolDoes(from: MessageForm) throws {
    let text = Self.texts(Self.single.contains(from) ? 1 : 2)
    let input = try Oracle.convert(
      "text:\(from.rawValue)", "everything.capnp", "Everything", Array(text.utf8))
    for to in MessageForm.allCases {
      let theirs = try Oracle.convert(
        "\(from.rawValue):\(to.rawValue)", "everything.capnp", "Everything", input)
      for chunk in [input.count, 4096, 13] {
        let ours = try Self.convert(from, to, input, chunk: chunk)
        if let common = Self.common(from, to) {
          let back = try Self.convert(to, common, ours, chunk: ours.count)
          #expect(try back == Self.convert(to, common, theirs, chunk: 999), "\(from) to \(to)")
        } else {
          #expect(ours == theirs, "\(from) to \(to)")
        }
      }
    }
  }

  /// The form in which what is made of one form in another is the same: nil where it is that form.
  private static func common(_ from: MessageForm, _ to: MessageForm) -> MessageForm? {
    switch (from, to) {
    case (_, .text), (_, .json), (_, .canonical): nil
    // What is made of text depends on the order in which it is built.
    case (.text, _), (.json, _): .text
    // The tool cuts larger messages into segments.
    case (_, .binary), (_, .packed): .flat
    default: nil
    }
  }

  @Test(arguments: MessageForm.allCases.filter { !$0.needsSchema })
  func inputThatIsCutOffIsRefused(from: MessageForm) throws {
    let input = try Oracle.convert(
      "text:\(from.rawValue)", "everything.capnp", "Everything", Array("(text = \"one\")".utf8))
    for end in 1..<input.count where from != .flatPacked || end % 3 == 0 {
      #expect(throws: (any Error).self, "\(end)") {
        try Self.convert(from, .text, Array(input[..<end]), chunk: 5)
      }
    }
  }

  @Test func canonicalInputIsCanonical() throws {
    let flat = try Oracle.convert(
      "text:flat", "everything.capnp", "Everything", Array("(text = \"one\")".utf8))
    #expect(throws: ConversionError.notCanonical) {
      try Self.convert(.canonical, .text, flat, chunk: flat.count)
    }
    let form = try Self.convert(.flat, .canonical, flat, chunk: flat.count)
    #expect(try Self.convert(.canonical, .canonical, form, chunk: 8) == form)
  }

  @Test func packedWordsOverTheLimitAreRefused() throws {
    // A run of zeros: 256 words of two bytes each.
    let zeros = [[UInt8]](repeating: [0, 255], count: 1000).flatMap(\.self)
    let options = MessageConverter.Options(frames: FrameLimits(words: 2000, segments: 1))
    let error = #expect(throws: FramingError.self) {
      try Self.convert(.flatPacked, .flat, zeros, chunk: 100, options: options)
    }
    guard case .tooLarge(_, limit: 2000) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func inputThatIsReadAtOnceHasALimit() throws {
    let options = MessageConverter.Options(
      frames: FrameLimits(words: 10, segments: 1),
      codec: CodecLimits(nestingDepth: 8, words: 100, bytes: 100))
    for (form, limit) in [
      (MessageForm.text, 100), (.json, 100), (.flat, 80), (.flatPacked, 100), (.canonical, 80),
    ] {
      #expect(throws: ConversionError.inputTooLarge(form, limit: limit)) {
        try Self.convert(
          form, .binary, [UInt8](repeating: 0x20, count: limit + 1), chunk: 7, options: options)
      }
    }
    #expect(
      try Self.convert(
        .text, .binary, [UInt8](repeating: 0x20, count: 100), chunk: 7, options: options) == [])
  }

  @Test func copyingCostsTheTraversalLimitOnce() throws {
    let input = try Oracle.convert(
      "text:binary", "everything.capnp", "Everything", Array(Self.texts(1).utf8))
    let reading = ReaderLimits(traversalWords: input.count / 8 + 1, nestingDepth: 64)
    for form in [MessageForm.binary, .packed, .flat, .flatPacked, .canonical] {
      #expect(
        try !Self.convert(.binary, form, input, chunk: 4096, options: .init(reading: reading))
          .isEmpty)
    }
  }
}
