// Safety. A `Ref` holds the place of a struct beside a strong reference to the arena that owns its
// words, and hands the place out only as a reader that depends on the `Ref`. It is made only of an
// arena that is not written to any more, so sharing it between tasks is sound: the arena and
// `RawStruct`, which holds pointers, are not Sendable by themselves, which is what `@unchecked` answers for.

/// A reader that may be stored, put in collections and sent to other tasks.
///
/// It keeps its whole message alive. ``read(_:)`` reads it anywhere:
/// `try people["ada"]?.read { try $0.name.string }`. ``reader`` borrows the reader back, of a
/// reference that is kept in a constant or variable for as long. A message that is kept may be read
/// any number of times if one pass over all of it is within ``ReaderLimits/traversalWords``.
@frozen @safe public struct Ref<Reader: TypedStructReader & ~Escapable>: @unchecked Sendable {
  /// The arena. Stored as an existential, which makes the type one that is passed in memory: of a
  /// type passed in registers, the compiler (6.3.1) crashes on `try makeRef().reader.field`, or,
  /// where `reader` yields, lets the temporary go before the field is read. So it says "escapes
  /// its scope", and such code keeps the reference in a constant.
  @usableFromInline let keeper: any ArenaKeeper
  @usableFromInline let raw: RawStruct

  @usableFromInline var owner: MessageArena { keeper.arena }

  @inlinable
  init(owner: MessageArena, raw: RawStruct) {
    keeper = owner
    self.raw = raw
  }

  /// Keeps the reader's message, or a copy of the struct where the message cannot be kept.
  @usableFromInline
  init(_ reader: StructReader) throws(DecodingError) {
    let owner = unsafe reader.raw.segment.pointee.arena.pointee.owner.takeUnretainedValue()
    if owner.isRetainable {
      owner.makeRenewable()
      self.init(owner: owner, raw: reader.raw)
    } else {
      let copy = MessageBuilder()
      try copy.root.set(reader)
      let arena = copy.arena
      arena.freeze(limits: .standard)
      arena.makeRenewable()
      self.init(owner: arena, raw: try RawStruct.root(of: arena, limits: .standard))
    }
  }

  /// The struct.
  @inlinable public var reader: Reader {
    @_lifetime(borrow self) get {
      let reader = StructReader(raw: raw)
      return unsafe _overrideLifetime(Reader(_raw: reader), borrowing: self)
    }
  }

  /// Calls the body with the struct, and returns its result.
  ///
  /// The reference need not be kept: it may be an element, a result, or what an optional chain finds.
  @inlinable
  public func read<Value, Failure>(
    _ body: (Reader) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try body(reader)
  }
}

/// What keeps an arena.
@usableFromInline protocol ArenaKeeper {
  var arena: MessageArena { get }
}

extension MessageArena: ArenaKeeper {
  @usableFromInline var arena: MessageArena { self }
}

extension Ref where Reader: ~Escapable {
  /// The struct at the root of a message, which the reference now keeps alive.
  ///
  /// - Throws: ``DecodingError`` if the root is no struct.
  public init(_ message: consuming MessageReader) throws(DecodingError) {
    let arena = message.arena
    arena.makeRenewable()
    self.init(owner: arena, raw: try RawStruct.root(of: arena, limits: message.limits))
  }

  /// The head of the frame of the whole message that the reference keeps alive.
  public var frameHead: [UInt8] {
    SegmentTable.encode((0..<owner.segmentCount).map { owner.usedWords(inSegment: $0) })
  }

  /// Calls the body with the bytes of each segment of the whole message, without a copy.
  public func segments(_ body: (RawSpan) -> Void) {
    unsafe owner.forEachSegment { unsafe body($0.bytes) }
  }

  /// Calls the body with the pieces of the whole message's frame, one after the other, without a
  /// copy.
  public func framePieces(_ body: (RawSpan) -> Void) {
    unsafe owner.forEachPiece { unsafe body($0.bytes) }
  }

  /// The whole message as one frame.
  public func flattened() -> [UInt8] { owner.flattened() }

  /// Bytes of the whole message's frame.
  public var frameBytes: Int { owner.frameBytes }
}

extension RawStruct {
  static func root(
    of arena: MessageArena, limits: ReaderLimits
  ) throws(DecodingError) -> RawStruct {
    guard let root = arena.root(nesting: limits.nestingDepth) else { throw .missingRoot }
    return try root.structure()
  }
}
