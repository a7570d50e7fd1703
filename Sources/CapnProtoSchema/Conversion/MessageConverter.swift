// Safety. The span of a chunk is handed to a frame decoder as bytes, for the length of the call.

public import CapnProto

/// Turns a stream of messages of one form into one of another.
///
/// Messages in frames are converted as they arrive. The other forms are read at the end of the input,
/// as only then is it sure where a message ends.
public struct MessageConverter: ~Copyable {
  private let input: MessageForm
  private let output: MessageForm
  private let schema: StructSchema?
  private let options: Options
  private var decoder: FrameDecoder
  private var packedDecoder: PackedFrameDecoder
  private var pending: [UInt8] = []

  /// How messages are read and written.
  public struct Options: Sendable {
    /// Whether text and JSON are spread over lines.
    public var isPretty: Bool
    /// Bounds on the frames of binary messages.
    public var frames: FrameLimits
    /// Bounds on what is followed in a binary message.
    public var reading: ReaderLimits
    /// Bounds on text and JSON.
    public var codec: CodecLimits

    /// Pretty, within the standard limits.
    public init(
      isPretty: Bool = true, frames: FrameLimits = .standard, reading: ReaderLimits = .standard,
      codec: CodecLimits = .standard
    ) {
      self.isPretty = isPretty
      self.frames = frames
      self.reading = reading
      self.codec = codec
    }
  }

  /// A converter between the forms, of messages of the type, which may be left out where neither
  /// form needs it.
  ///
  /// - Throws: ``ConversionError/needsSchema(_:)``.
  public init(
    from input: MessageForm, to output: MessageForm, schema: StructSchema? = nil,
    options: Options = Options()
  ) throws(ConversionError) {
    for form in [input, output] where form.needsSchema && schema == nil {
      throw .needsSchema(form)
    }
    self.input = input
    self.output = output
    self.schema = schema
    self.options = options
    decoder = FrameDecoder(frameLimits: options.frames, limits: options.reading)
    packedDecoder = PackedFrameDecoder(frameLimits: options.frames, limits: options.reading)
  }

  /// Takes a chunk of the input, and hands out what it makes of the messages that are complete.
  ///
  /// - Throws: `FramingError`, `DecodingError`, ``DynamicError``, ``CodecError`` or
  ///   ``ConversionError``, and what the sink throws.
  public mutating func take(_ chunk: [UInt8], _ sink: ([UInt8]) throws -> Void) throws {
    var offset = 0
    switch input {
    case .binary:
      while let message = try unsafe decoder.next(chunk.span.bytes, &offset) {
        try sink(try write(message))
      }
    case .packed:
      while let message = try unsafe packedDecoder.next(chunk.span.bytes, &offset) {
        try sink(try write(message))
      }
    default:
      guard chunk.count <= mostPending - pending.count else {
        throw ConversionError.inputTooLarge(input, limit: mostPending)
      }
      pending += chunk
    }
  }

  /// Bytes that are kept of an input whose messages are not converted as they arrive.
  private var mostPending: Int {
    guard !input.needsSchema else { return options.codec.bytes }
    // Packed, a word takes 10 bytes at the most: a tag, its bytes, and a count of words that follow.
    let (bytes, overflows) = options.frames.words.multipliedReportingOverflow(
      by: input == .flatPacked ? 10 : 8)
    return overflows ? .max : bytes
  }

  /// Ends the input, and hands out what is left of it.
  ///
  /// - Throws: as ``take(_:_:)``, and if the input ends inside a message.
  public mutating func finish(_ sink: ([UInt8]) throws -> Void) throws {
    switch input {
    case .binary:
      guard decoder.isBetweenMessages else { throw ConversionError.truncated }
    case .packed:
      guard packedDecoder.isBetweenMessages else { throw ConversionError.truncated }
    case .flat: try sink(try write(try Self.unframed(pending, options)))
    case .flatPacked:
      let words = try PackedWords.unpack(pending, limit: options.frames.words)
      try sink(try write(try Self.unframed(words, options)))
    case .canonical:
      let message = try Self.unframed(pending, options)
      guard try message.isCanonical() else { throw ConversionError.notCanonical }
      try sink(try write(message))
    case .text:
      guard let schema else { return }
      var source = TextSource(pending, limits: options.codec)
      while let literal = try source.next() {
        let message = MessageBuilder()
        try Self.build(message, schema) { try source.build(literal, into: $0) }
        try sink(try write(message.freeze(limits: options.reading)))
      }
    case .json:
      guard let schema else { return }
      var source = JSONSource(pending, limits: options.codec)
      while let value = try source.next() {
        let message = MessageBuilder()
        try Self.build(message, schema) {
          try JSONCodec(limits: options.codec).build(value, of: source, into: $0)
        }
        try sink(try write(message.freeze(limits: options.reading)))
      }
    }
  }

  private func write(_ message: borrowing MessageReader) throws -> [UInt8] {
    switch output {
    case .binary: return try Self.segment(message).flattened()
    case .packed: return try Self.segment(message).packed()
    case .flat: return try Self.words(message)
    case .flatPacked: return PackedWords.pack(try Self.words(message))
    case .canonical: return try message.root.canonicalized()
    case .text:
      guard let schema else { return [] }
      return try TextCodec(isPretty: options.isPretty, limits: options.codec)
        .encode(try message.root(as: schema)) + [UInt8(ascii: "\n")]
    case .json:
      guard let schema else { return [] }
      return try JSONCodec(isPretty: options.isPretty, limits: options.codec)
        .encode(try message.root(as: schema)) + [UInt8(ascii: "\n")]
    }
  }

  /// A message of the bytes of its one segment.
  private static func unframed(_ bytes: [UInt8], _ options: Options) throws -> MessageReader {
    guard bytes.count % 8 == 0 else { throw ConversionError.notWholeWords(bytes: bytes.count) }
    guard let words = UInt32(exactly: bytes.count / 8) else {
      throw ConversionError.inputTooLarge(.flat, limit: Int(UInt32.max) * 8)
    }
    let head: [UInt8] = [0, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: words >> ($0 * 8)) }
    return try MessageReader(
      flat: head + bytes, frameLimits: options.frames, limits: options.reading)
  }

  // The builders end with these calls, so that the messages can be consumed after them.

  private static func build(
    _ message: borrowing MessageBuilder, _ schema: StructSchema,
    _ body: (DynamicStruct.Builder) throws -> Void
  ) throws {
    try body(message.initRoot(as: schema))
  }

  private static func copy(
    _ message: borrowing MessageReader, to copy: borrowing MessageBuilder
  ) throws {
    try copy.root.set(try message.root)
  }

  /// The words of a copy of the message in one segment.
  private static func words(_ message: borrowing MessageReader) throws -> [UInt8] {
    Array(try segment(message).flattened().dropFirst(8))
  }

  /// A copy of the message in one segment.
  private static func segment(_ message: borrowing MessageReader) throws -> MessageBuilder {
    // A copy is as large, but where two pointers lead to one object.
    var capacity = 1
    message.segments { capacity += $0.byteCount / 8 }
    while true {
      let copy = MessageBuilder(firstSegmentWords: capacity)
      try Self.copy(message, to: copy)
      if copy.frameHead.count == 8, copy.frameHead[0] == 0 { return copy }
      // The words that did not fit, and the landing pads that there are none of then.
      capacity = copy.words + 1
    }
  }
}

/// What keeps a stream from being converted.
public enum ConversionError: Error, Hashable, Sendable {
  /// The form cannot be read or written without the type of the messages.
  case needsSchema(MessageForm)
  /// The input ends inside a message.
  case truncated
  /// An input of the form, which is read to its end before it is converted, has more bytes.
  case inputTooLarge(MessageForm, limit: Int)
  /// A message without a frame is so many bytes long, which are no whole words.
  case notWholeWords(bytes: Int)
  /// A message that should be in canonical form is not.
  case notCanonical
}

extension ConversionError: CustomStringConvertible {
  /// The error in words.
  public var description: String {
    switch self {
    case .needsSchema(let form): "messages in \(form.rawValue) need a schema and a type"
    case .inputTooLarge(let form, let limit):
      "messages in \(form.rawValue) are read at once, and the input has more than the limit of "
        + "\(limit) bytes"
    case .truncated: "the input ends inside a message"
    case .notWholeWords(let bytes): "\(bytes) bytes are no whole words of 8"
    case .notCanonical: "the message is not in canonical form"
    }
  }
}
