// Safety. Reaches the first word of the first segment, which are there since the arena was made.

/// Owns a message that is being built.
///
/// Builders depend on it and cannot outlive it. When it is done, write it with ``segments(_:)`` or
/// ``flattened()``, or turn it into a reader without a copy by ``freeze(limits:)``.
@safe public struct MessageBuilder: ~Copyable {
  @usableFromInline let owner: ArenaOwner

  init(owner: consuming ArenaOwner) { self.owner = owner }

  var arena: MessageArena { owner.arena }

  /// A message with a null root.
  ///
  /// - Parameter firstSegmentWords: words to allocate at once; what does not fit goes to further
  ///   segments, each twice as large as the one before.
  public init(firstSegmentWords: Int = 1024) {
    owner = ArenaOwner(.toBuildIn(firstSegmentWords: firstSegmentWords))
  }

  /// Makes the message anew, with a null root, in the first segment's memory.
  ///
  /// Building many messages in turn costs no allocation then, and clears no more than was used.
  public mutating func clear() { arena.clear() }

  /// The root pointer.
  @inlinable public var root: AnyPointerBuilder {
    @_lifetime(borrow self) get {
      // The first segment and its first word are there since `init`.
      let segment = unsafe owner.header.pointee.segments[0]
      return unsafe AnyPointerBuilder(
        raw: RawPointerBuilder(segment: segment, place: segment.pointee.start))
    }
  }

  /// A new root struct, all zero.
  @inlinable @_lifetime(borrow self)
  public borrowing func initRoot<Builder: TypedStructBuilder & ~Escapable>(
    as: Builder.Type = Builder.self
  ) -> Builder {
    root.initStructure()
  }

  /// The root struct.
  @inlinable @_lifetime(borrow self)
  public borrowing func root<Builder: TypedStructBuilder & ~Escapable>(
    as: Builder.Type = Builder.self
  ) -> Builder {
    root.structure()
  }

  /// Makes a new root struct, all zero, and lets the body build it.
  ///
  /// The builder ends with the body, so that the message may be consumed after it.
  @inlinable @discardableResult
  public borrowing func build<Builder: TypedStructBuilder & ~Escapable, Value, Failure>(
    _: Builder.Type = Builder.self, _ body: (Builder) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try body(initRoot(as: Builder.self))
  }

  /// Lets the body go on building the root struct.
  ///
  /// The builder ends with the body, so that the message may be consumed after it.
  @inlinable @discardableResult
  public borrowing func withRoot<Builder: TypedStructBuilder & ~Escapable, Value, Failure>(
    _: Builder.Type = Builder.self, _ body: (Builder) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try body(root(as: Builder.self))
  }

  /// The number of words in use in all segments.
  public var words: Int {
    owner.with { arena in
      var words = 0
      for index in 0..<arena.segmentCount { words += arena.usedWords(inSegment: index) }
      return words
    }
  }

  /// The number of entries of the capability table.
  package var capabilityCount: Int { owner.with { $0.capabilityCount } }

  /// Returns the number of words in use in all segments, and of so many more for each capability.
  package func words(perCapability words: Int) -> Int {
    owner.with { $0.words(perCapability: words) }
  }

  /// The capabilities that pointers of the message refer to by index.
  public var capabilities: [(any CapabilityHook)?] { owner.with { $0.capabilities } }

  /// Puts what the body makes of each capability in its place.
  public func mapCapabilities(_ transform: (any CapabilityHook) -> any CapabilityHook) {
    arena.capabilities = arena.capabilities.map { $0.map(transform) }
  }

  /// Lets go of capabilities that the message held and that no pointer in it refers to any more. It is
  /// done when the message is frozen or cleared at the latest; that it is not done there, where
  /// whoever is let go of must not run, is what this is for.
  public borrowing func releaseErased() { owner.with { $0.letGoOfDropped() } }

  /// Ends building and hands the message to a reader, without a copy. Capabilities go along.
  public consuming func freeze(limits: ReaderLimits = .standard) -> MessageReader {
    owner.with { $0.freeze(limits: limits) }
    return MessageReader(owner: owner, limits: limits)
  }
}
