/// What an object and all that it leads to take in a message.
public struct MessageSize: Hashable, Sendable {
  /// Words, without landing pads and without the pointer to the object.
  public var words: Int
  /// Capability pointers.
  public var capabilities: Int

  /// A size of the given counts.
  public init(words: Int, capabilities: Int) {
    self.words = words
    self.capabilities = capabilities
  }
}

extension AnyPointerReader {
  /// The size of what the pointer leads to, in depth. An object that two pointers lead to counts
  /// twice, as it does in a copy.
  ///
  /// - Throws: ``DecodingError`` if the message is invalid or exceeds the reader's limits.
  public func totalSize() throws(DecodingError) -> MessageSize {
    var counter = SizeCounter()
    try counter.add(raw)
    return try counter.count()
  }
}

extension TypedStructReader where Self: ~Escapable {
  /// The size of the struct and of all that it leads to, in depth.
  ///
  /// - Throws: ``DecodingError`` if the message is invalid or exceeds the reader's limits.
  public func totalSize() throws(DecodingError) -> MessageSize {
    var counter = SizeCounter()
    counter.add(_raw.raw)
    return try counter.count()
  }
}

extension AnyListReader {
  /// The size of the list and of all that it leads to, in depth.
  ///
  /// - Throws: ``DecodingError`` if the message is invalid or exceeds the reader's limits.
  public func totalSize() throws(DecodingError) -> MessageSize {
    var counter = SizeCounter()
    counter.add(raw)
    return try counter.count()
  }
}

/// Adds up objects.
private struct SizeCounter {
  private var size = MessageSize(words: 0, capabilities: 0)
  private var walk = DepthFirst<RawList>()

  mutating func count() throws(DecodingError) -> MessageSize {
    while let pointer = walk.next() { try add(pointer) }
    return size
  }

  mutating func add(_ pointer: RawPointer) throws(DecodingError) {
    guard !pointer.word.isNull else { return }
    let target = try pointer.target()
    switch target.word.kind {
    case 0: add(try target.structure(nesting: pointer.nesting))
    case 1: add(try target.list(nesting: pointer.nesting))
    default:
      _ = try pointer.capabilityHook()
      size.capabilities += 1
    }
  }

  mutating func add(_ object: RawStruct) {
    size.words += (Int(object.dataBits) + 63) / 64 + Int(object.pointers)
    walk.enter(RawList(of: object))
  }

  mutating func add(_ list: RawList) {
    size.words += (Int(list.count) * Int(list.step) + 63) / 64
    if list.size == .inlineComposite { size.words += 1 }
    walk.enter(list)
  }
}
