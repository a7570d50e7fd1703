// Safety. An orphanage depends on the lifetime of the message that its pointer lies in, so the
// message's arena is there for as long as the orphanage is. The arena makes each object with its
// size checked, and the bytes of a text or of data are written within the object made for them.

/// Makes objects of a message being built that no pointer leads to yet.
public struct Orphanage: ~Escapable {
  private let raw: RawPointerBuilder

  /// Of the message that holds the pointer.
  @_lifetime(copy pointer)
  public init(_ pointer: AnyPointerBuilder) { raw = pointer.raw }

  private var arena: ArenaPointer { unsafe raw.segment.pointee.arena }

  /// A new struct, all zero.
  @_lifetime(copy self)
  public func newStructure<Builder: TypedStructBuilder & ~Escapable>(
    of: Builder.Type = Builder.self
  ) -> Orphan<Builder> {
    unsafe Orphan(object: OrphanedObject(structure: Builder._layout, arena))
  }

  /// A new list of the count, at most 2^29 - 1 elements, all zero or null.
  @_lifetime(copy self)
  public func newList<Element: ListElementBuilder & ~Escapable>(
    of: Element.Type = Element.self, count: Int
  ) -> Orphan<ListBuilder<Element>> {
    unsafe Orphan(
      object: Element._elementSize == .inlineComposite
        ? OrphanedObject(structureList: Element._structLayout, count: count, arena)
        : OrphanedObject(list: Element._elementSize, count: count, arena))
  }

  /// A new text of so many bytes, all NUL, to be written in place.
  @_lifetime(copy self)
  public func newText(count: Int) -> Orphan<TextType> {
    unsafe Orphan(object: OrphanedObject(list: .byte, count: count + 1, arena))
  }

  /// A new text of the string's UTF-8.
  @_lifetime(copy self)
  public func newText(_ string: String) -> Orphan<TextType> {
    var string = string
    return Orphan(
      object: string.withUTF8 { bytes in
        let object = unsafe OrphanedObject(list: .byte, count: bytes.count + 1, arena)
        unsafe UnsafeMutableRawBufferPointer(start: object.start, count: bytes.count)
          .copyMemory(from: UnsafeRawBufferPointer(bytes))
        return object
      })
  }

  /// New data of so many bytes, all zero, to be written in place.
  @_lifetime(copy self)
  public func newData(count: Int) -> Orphan<DataType> {
    unsafe Orphan(object: OrphanedObject(list: .byte, count: count, arena))
  }

  /// A copy, in depth, of what the pointer leads to, of this or of another message.
  ///
  /// - Throws: ``DecodingError`` if the source is invalid.
  @_lifetime(copy self)
  public func copy<Value: ListElementBuilder & ~Escapable>(
    of source: AnyPointerReader, as: Value.Type = Value.self
  ) throws(DecodingError) -> Orphan<Value> {
    Orphan(object: try unsafe OrphanedObject(copying: source.raw, arena))
  }

  /// A copy of the struct, in depth, of this or of another message.
  ///
  /// - Throws: ``DecodingError`` if the source is invalid.
  @_lifetime(copy self)
  public func copy<
    Reader: TypedStructReader & ~Escapable, Builder: TypedStructBuilder & ~Escapable
  >(
    of source: Reader, as: Builder.Type = Builder.self
  ) throws(DecodingError) -> Orphan<Builder> {
    Orphan(object: try unsafe OrphanedObject(copying: source._raw.raw, Builder._layout, arena))
  }

  /// A copy of the list, in depth, of this or of another message.
  ///
  /// - Throws: ``DecodingError`` if the source is invalid.
  @_lifetime(copy self)
  public func copy<
    Element: ListElement & ~Escapable, Copied: ListElementBuilder & ~Escapable
  >(
    of source: ListReader<Element>, as: ListBuilder<Copied>.Type
  ) throws(DecodingError) -> Orphan<ListBuilder<Copied>> {
    Orphan(object: try unsafe OrphanedObject(copying: source._list.raw, arena))
  }
}

extension MessageBuilder {
  /// Makes objects of the message that no pointer leads to yet.
  public var orphanage: Orphanage { @_lifetime(borrow self) get { Orphanage(root) } }
}
