// Safety. Sets the arena's table, which only this owner sees: that is checked where it is done.

/// Owns a message that was received, and reads it in place.
///
/// Readers depend on it and cannot outlive it; ``TypedStructReader/retained()`` makes one that may.
@safe public struct MessageReader: ~Copyable, Sendable {
  private(set) var arena: MessageArena
  let limits: ReaderLimits

  init(arena: MessageArena, limits: ReaderLimits) {
    self.arena = arena
    self.limits = limits
  }

  /// The root as a struct of the type.
  ///
  /// - Throws: ``DecodingError`` if there is no root or it is no struct.
  @inlinable @_lifetime(borrow self)
  public borrowing func root<Reader: TypedStructReader & ~Escapable>(
    as: Reader.Type = Reader.self
  ) throws(DecodingError) -> Reader {
    Reader(_raw: try root.structure())
  }

  /// The root pointer.
  public var root: AnyPointerReader {
    @_lifetime(borrow self) get throws(DecodingError) {
      guard let root = arena.root(nesting: limits.nestingDepth) else { throw .missingRoot }
      return AnyPointerReader(raw: root)
    }
  }

  /// Segments.
  public var segmentCount: Int { arena.segmentCount }

  /// Sets the table that the message's capability pointers refer to by index.
  ///
  /// Only the RPC runtime knows what the peer's descriptors stand for. No ``Ref`` to the message may
  /// exist yet: that would change a message that another task reads.
  public mutating func setCapabilities(_ table: [(any CapabilityHook)?]) {
    precondition(isKnownUniquelyReferenced(&arena), "the message is shared already")
    unsafe arena.capabilities = table
  }
}
