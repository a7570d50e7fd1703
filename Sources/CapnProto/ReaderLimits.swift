/// Bounds on what reading one message may cost, against amplification by a hostile peer.
///
/// Encoding specification, "Amplification Attacks" and "Stack Overflow DoS Attacks".
public struct ReaderLimits: Hashable, Sendable {
  /// Words that following pointers may reach in all, counting an object anew each time that a
  /// pointer to it is followed.
  public var traversalWords: Int
  /// Pointers from the root to the deepest object.
  public var nestingDepth: UInt16

  /// The defaults of the C++ implementation: 8 Mi words (64 MiB) and 64 levels.
  public static let standard = ReaderLimits(traversalWords: 8 << 20, nestingDepth: 64)

  /// Limits of the given sizes.
  public init(traversalWords: Int, nestingDepth: UInt16) {
    self.traversalWords = traversalWords
    self.nestingDepth = nestingDepth
  }
}
