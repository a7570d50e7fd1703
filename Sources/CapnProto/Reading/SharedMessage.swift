// Safety. As of `Ref`: the place of the root beside a strong reference to the arena that owns its
// words, made only of an arena that is not written to any more. That is also why `@unchecked Sendable`
// is sound, which answers for the arena and the pointers in `RawStruct`.

/// A whole message that may be stored and sent to other tasks, whose root is a struct.
///
/// A value of it keeps the message, of which ``Ref`` keeps a struct. Readers borrow it, so it is
/// read where it is a constant, or by a closure: ``read(_:_:)``.
@safe public struct SharedMessage: @unchecked Sendable {
  private let arena: MessageArena
  private let raw: RawStruct

  /// Shares the message.
  ///
  /// - Throws: ``DecodingError`` if the root is no struct.
  public init(_ message: consuming MessageReader) throws(DecodingError) {
    let limits = message.limits
    let arena = message.intoArena()
    arena.makeRenewable()
    raw = try RawStruct.root(of: arena, limits: limits)
    self.arena = arena
  }

  /// The root struct.
  @_lifetime(borrow self)
  public func root<Reader: TypedStructReader & ~Escapable>(
    as: Reader.Type = Reader.self
  ) -> Reader {
    let reader = StructReader(raw: raw)
    return unsafe _overrideLifetime(Reader(_raw: reader), borrowing: self)
  }

  /// Calls the body with the root as a struct of the type, and returns its result.
  @inlinable
  public func read<Reader: TypedStructReader & ~Escapable, Value, Failure>(
    _: Reader.Type = Reader.self, _ body: (Reader) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try body(root(as: Reader.self))
  }

  /// The number of entries of the capability table.
  package var capabilityCount: Int { arena.capabilityCount }

  /// Bytes of the message's frame.
  public var frameBytes: Int { arena.frameBytes }

  /// Calls the body with the pieces of the message's frame, one after the other, without a copy.
  public func framePieces(_ body: (RawSpan) -> Void) {
    unsafe arena.forEachPiece { unsafe body($0.bytes) }
  }

  /// Adds the message's frame to the bytes, which must have room for ``frameBytes`` more.
  public func write(to output: inout OutputRawSpan) { arena.write(to: &output) }

  /// The message as one frame.
  public func flattened() -> [UInt8] { arena.flattened() }

  /// The message with one more segment, to which no pointer leads; without the capabilities that the
  /// runtime has put beside it.
  ///
  /// - Parameter segment: whole words.
  /// - Returns: a message of its own.
  /// - Throws: ``FramingError`` if the message has too many segments or words then, or the segment is
  ///   no whole words; ``DecodingError`` as ``init(_:)``.
  public func appending(segment: [UInt8]) throws -> SharedMessage {
    guard segment.count % 8 == 0 else {
      throw FramingError.truncated(
        bytes: segment.count, needed: segment.count + 8 - segment.count % 8)
    }
    var frame = SegmentTable.encode(
      (0..<arena.segmentCount).map { arena.usedWords(inSegment: $0) } + [segment.count / 8])
    unsafe arena.forEachSegment { unsafe frame.append(contentsOf: $0) }
    frame.append(contentsOf: segment)
    return try SharedMessage(MessageReader(flat: frame))
  }
}
