/// Bounds on what reading one message may cost, against amplification by a hostile peer.
///
/// Encoding specification, "Amplification Attacks" and "Stack Overflow DoS Attacks".
public struct ReaderLimits: Hashable, Sendable {
  /// Words that following pointers may reach in all, counting an object anew each time that a
  /// pointer to it is followed.
  ///
  /// A message that a ``Ref`` keeps is measured when they are used up: if one pass over all that its
  /// root leads to is within the limit, the count starts anew. The limit is on what a message makes
  /// of its size, not on how often a program reads it.
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
