// Safety. Loads bytes, of which every bit pattern is one, where the span's own check finds them inside.

/// What is wrong with the frame around a message (encoding specification, "Serialization Over a
/// Stream").
public enum FramingError: Error, Hashable, Sendable {
  /// The bytes end inside the frame: so many are there of so many that the frame needs.
  case truncated(bytes: Int, needed: Int)
  /// The frame has more segments than allowed.
  case tooManySegments(count: Int, limit: Int)
  /// The frame has more words than allowed.
  case tooLarge(words: Int, limit: Int)
  /// The bytes begin with text, as no message does.
  case text(start: String)
  /// A run of a packed message goes on so many bytes after the message's end.
  case packedRunTooLong(bytes: Int)
}

extension FramingError: CustomStringConvertible {
  /// The error in words.
  public var description: String {
    switch self {
    case .truncated(let bytes, let needed):
      "the message is cut off after \(bytes) of at least \(needed) bytes"
    case .tooManySegments(let count, let limit):
      "the message has \(count) segments, more than the limit of \(limit) (FrameLimits.segments)"
    case .tooLarge(let words, let limit):
      "the message has \(words) words, more than the limit of \(limit) (FrameLimits.words)"
    case .text(let start):
      """
      the bytes do not look like a message: they begin with the text \
      \(start.debugDescription). Text and JSON become \
      messages by TextCodec and JSONCodec, or by 'capnp-swift convert'
      """
    case .packedRunTooLong(let bytes):
      "a run of the packed message goes on \(bytes) bytes after the message's end"
    }
  }
}

extension FramingError {
  /// The error of a frame that is over its limits, or that the bytes are text where they begin with it.
  func unlessText(_ bytes: RawSpan, at offset: Int) -> FramingError {
    var start = ""
    for index in offset..<min(offset + 16, bytes.byteCount) {
      let byte = unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
      guard byte >= 0x20 && byte < 0x7f || byte == 0x09 || byte == 0x0a || byte == 0x0d else {
        break
      }
      start.unicodeScalars.append(Unicode.Scalar(byte))
    }
    return start.utf8.count < 4 ? self : .text(start: start)
  }
}

/// Bounds on a frame, checked before anything is allocated for it.
public struct FrameLimits: Hashable, Sendable {
  /// Words in all segments.
  public var words: Int
  /// Segments.
  public var segments: Int

  /// 8 Mi words (64 MiB) in 512 segments, as in the C++ implementation.
  public static let standard = FrameLimits(words: 8 << 20, segments: 512)

  /// Limits of the given sizes.
  public init(words: Int, segments: Int) {
    self.words = words
    self.segments = segments
  }
}
