// Safety. Writes words into a block of that many words, and keeps the arena for good.
// `@unchecked Sendable` is sound because nothing is written to it once it is made, but for the atomics of
// the traversal limit.

/// A constant or default of a schema: an object that lives as long as the process.
///
/// Generated code keeps one in a `static let` for each pointer constant. The words are never freed,
/// so that readers of a constant are valid anywhere.
@safe public struct ConstantMessage: @unchecked Sendable {
  private let arena: MessageArena

  /// A constant of one segment, root pointer first, of words as numbers.
  ///
  /// - Parameter words: what `capnp compile` encoded; trusted no more than any message.
  public init(words: [UInt64]) {
    let arena = MessageArena.toFill(SegmentTable(words: words.count), limits: nil)
    let start = unsafe arena.ownWords
    for (index, word) in words.enumerated() {
      unsafe start.storeBytes(of: word.littleEndian, toByteOffset: index * 8, as: UInt64.self)
    }
    _ = unsafe Unmanaged.passRetained(arena)
    self.arena = arena
  }

  @usableFromInline var root: RawPointer {
    guard let root = arena.root(nesting: ReaderLimits.standard.nestingDepth) else {
      preconditionFailure("a constant has a root")
    }
    return root
  }

  /// The constant's root pointer.
  public var pointer: AnyPointerReader {
    @_lifetime(immortal) get { AnyPointerReader(raw: root) }
  }

  /// The constant as a struct; an empty one if the words hold no struct.
  @_lifetime(immortal)
  public func structure<Reader: TypedStructReader & ~Escapable>(
    as: Reader.Type = Reader.self
  ) -> Reader {
    let root = root
    let structure = unsafe (try? root.structure()) ?? .empty(root.segment)
    return Reader(_raw: StructReader(raw: structure))
  }

  /// The constant as a list; an empty one if the words hold no list of such elements.
  @_lifetime(immortal)
  public func list<Element: ListElement & ~Escapable>(
    of: Element.Type = Element.self
  ) -> ListReader<Element> {
    let root = root
    let list = unsafe (try? root.list(Element._elementSize)) ?? .empty(root.segment)
    return ListReader(_list: AnyListReader(raw: list))
  }
}
