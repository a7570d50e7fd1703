// Safety. Sets the arena's table, which only this owner sees: that is checked where it is done.

/// Owns a message that was received, and reads it in place.
///
/// Readers depend on it and cannot outlive it; ``TypedStructReader/retained()`` makes one that may.
/// A message that is read where it is made, without a constant that keeps it, is read by a closure:
/// `try MessageReader(flat: bytes).read(Person.Reader.self) { $0.id }`. On `root(as:)` of such a message
/// the compiler (6.3.1) crashes.
@safe public struct MessageReader: ~Copyable, Sendable {
  private let owner: ArenaOwner
  let limits: ReaderLimits

  init(owner: consuming ArenaOwner, limits: ReaderLimits) {
    self.owner = owner
    self.limits = limits
  }

  init(arena: MessageArena, limits: ReaderLimits) {
    self.init(owner: ArenaOwner(arena), limits: limits)
  }

  var arena: MessageArena { owner.arena }

  /// The arena, for whoever shares it.
  consuming func intoArena() -> MessageArena { owner.intoArena() }

  /// The root as a struct of the type.
  ///
  /// - Throws: ``DecodingError`` if there is no root or it is no struct.
  @inlinable @_lifetime(borrow self)
  public borrowing func root<Reader: TypedStructReader & ~Escapable>(
    as: Reader.Type = Reader.self
  ) throws(DecodingError) -> Reader {
    Reader(_raw: try root.structure())
  }

  /// Calls the body with the root as a struct of the type, and returns its result.
  ///
  /// - Throws: ``DecodingError`` if there is no root or it is no struct, and what the body throws.
  @inlinable
  public borrowing func read<Reader: TypedStructReader & ~Escapable, Value>(
    _: Reader.Type = Reader.self, _ body: (Reader) throws -> Value
  ) throws -> Value {
    try body(try root(as: Reader.self))
  }

  /// The root pointer.
  public var root: AnyPointerReader {
    @_lifetime(borrow self) get throws(DecodingError) {
      guard let root = owner.with({ $0.root(nesting: limits.nestingDepth) }) else {
        throw .missingRoot
      }
      return AnyPointerReader(raw: root)
    }
  }

  /// Segments.
  public var segmentCount: Int { arena.segmentCount }

  /// Limits what reading the message may cost by its own size, in place of
  /// ``ReaderLimits/traversalWords``: for a message of a peer, who pays for what it sends only.
  ///
  /// No ``Ref`` to the message may exist yet.
  ///
  /// - Parameter factor: words that may be read for each word of the message. A short message may be
  ///   read for 1,024 words whatever its size: it may have lists of elements that take no words.
  /// - Returns: the number of words of the message's frame.
  package mutating func limitTraversal(factor: Int) -> Int {
    owner.with { arena in
      let words = arena.frameBytes / 8
      let (limit, overflow) = words.multipliedReportingOverflow(by: max(1, factor))
      arena.limitTraversal(to: overflow ? .max : max(1024, limit))
      return words
    }
  }

  /// Sets the table that the message's capability pointers refer to by index.
  ///
  /// Only the RPC runtime knows what the peer's descriptors stand for. No ``Ref`` to the message may
  /// exist yet: that would change a message that another task reads.
  public mutating func setCapabilities(_ table: [(any CapabilityHook)?]) {
    precondition(owner.isOnlyOne, "the message is shared already")
    arena.capabilities = table
  }
}
