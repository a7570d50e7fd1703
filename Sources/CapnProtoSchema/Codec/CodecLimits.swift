/// Bounds on text and JSON, read or written.
public struct CodecLimits: Hashable, Sendable {
  /// Structs and lists inside one another.
  public var nestingDepth: Int
  /// Words of a message that is built.
  public var words: Int
  /// Bytes of text that is written, or that is read before it is known where it ends.
  public var bytes: Int

  /// Limits of the given sizes.
  public init(nestingDepth: Int, words: Int, bytes: Int) {
    self.nestingDepth = nestingDepth
    self.words = words
    self.bytes = bytes
  }

  /// 128 levels, 8 Mi words (64 MiB), 256 MiB of text.
  public static let standard = CodecLimits(nestingDepth: 128, words: 8 << 20, bytes: 256 << 20)
}
