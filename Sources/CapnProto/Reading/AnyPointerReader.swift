/// A pointer of a message: AnyPointer, or a pointer field before its type is known.
///
/// It cannot outlive its message. Null reads as an empty struct, list, text or data.
@frozen public struct AnyPointerReader: ~Escapable {
  @usableFromInline let raw: RawPointer

  @inlinable @inline(__always) @_lifetime(immortal)
  init(raw: RawPointer) { self.raw = raw }

  /// Whether the pointer is null.
  @inlinable public var isNull: Bool { raw.word.isNull }

  /// The kind of object that the pointer leads to, or nil where it is null.
  public var kind: PointerKind? {
    get throws(DecodingError) { isNull ? nil : try raw.target().word.pointerKind }
  }

  /// The struct that the pointer leads to.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func structure() throws(DecodingError) -> StructReader {
    StructReader(raw: try raw.structure())
  }

  /// The struct that the pointer leads to, as the type.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func structure<Reader: TypedStructReader & ~Escapable>(
    as: Reader.Type = Reader.self
  ) throws(DecodingError) -> Reader {
    Reader(_raw: try structure())
  }

  /// The list that the pointer leads to.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func list<Element: ListElement & ~Escapable>(
    of: Element.Type = Element.self
  ) throws(DecodingError) -> ListReader<Element> {
    ListReader(_list: AnyListReader(raw: try raw.list(Element._elementSize)))
  }

  /// The list that the pointer leads to, whatever its elements are.
  @inlinable @_lifetime(copy self)
  public func anyList() throws(DecodingError) -> AnyListReader {
    AnyListReader(raw: try raw.anyList())
  }

  /// The text that the pointer leads to.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func text() throws(DecodingError) -> TextReader {
    TextReader(raw: try raw.text())
  }

  /// The data that the pointer leads to.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func data() throws(DecodingError) -> DataReader {
    DataReader(raw: try raw.bytes())
  }

  /// The capability that the pointer stands for, or nil where it is null or the peer sent none.
  public func capability() throws(DecodingError) -> (any CapabilityHook)? {
    try raw.capabilityHook()
  }
}

extension AnyPointerReader: PointerElement {
  /// A pointer.
  @inlinable public static var _elementSize: ElementSize { .pointer }
  /// Reads an element; the index is checked.
  @inlinable @_lifetime(copy list)
  public static func _element(
    _ list: AnyListReader, _ index: Int
  ) throws(DecodingError) -> AnyPointerReader {
    list.pointer(index)
  }
}
