/// A list of a message whose element type is not known to the compiler.
@frozen public struct AnyListReader: ~Escapable {
  @usableFromInline let raw: RawList

  @inlinable @inline(__always) @_lifetime(immortal)
  init(raw: RawList) { self.raw = raw }

  /// Elements.
  @inlinable public var count: Int { raw.count }
  /// How the elements are stored.
  public var elementSize: ElementSize { raw.size }

  /// The element as a struct. The index must be below `count`.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func structure(_ index: Int) -> StructReader {
    check(index)
    return StructReader(raw: raw.structure(index))
  }

  /// The element as a pointer, null where elements have none. The index must be below `count`.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func pointer(_ index: Int) -> AnyPointerReader {
    check(index)
    return AnyPointerReader(raw: raw.pointer(index))
  }

  @inlinable @inline(__always)
  func check(_ index: Int) {
    precondition(index >= 0 && index < count, indexOutOfRange(index, of: count))
  }
}

/// The message of a precondition that the list has an element at the index.
@usableFromInline
package func indexOutOfRange(_ index: Int, of count: Int) -> String {
  "index \(index) is out of range of a list of \(count) elements"
}

/// A list of a message, read in place. It cannot outlive its message.
///
/// `for index in list.indices { list[index] }` visits it, or `forEach`, `map`, `reduce` and their kin.
@frozen public struct ListReader<Element: ListElement & ~Escapable>: ~Escapable {
  /// The list without its type.
  public let _list: AnyListReader

  @inlinable @inline(__always) @_lifetime(copy list)
  init(_list list: AnyListReader) { _list = list }

  /// Elements.
  @inlinable public var count: Int { _list.count }
  /// Whether there is no element.
  @inlinable public var isEmpty: Bool { count == 0 }
  /// The valid indices.
  @inlinable public var indices: Range<Int> { 0..<count }
}

extension ListReader: BitwiseCopyable where Element: ~Escapable {}

extension ListReader where Element: InlineElement & ~Escapable {
  /// The element at the index, which must be one of `indices`.
  @inlinable @inline(__always)
  public subscript(index: Int) -> Element {
    @_lifetime(copy self) get {
      _list.check(index)
      return Element._element(_list, index)
    }
  }
}

extension ListReader where Element: PointerElement & ~Escapable {
  /// The element at the index, which must be one of `indices`.
  @inlinable
  public subscript(index: Int) -> Element {
    @_lifetime(copy self) get throws(DecodingError) {
      _list.check(index)
      return try Element._element(_list, index)
    }
  }
}

// Texts and data are read as the elements of any list of pointers are, but inline: the call of
// `_element`, which is not, costs reading a list of texts a twentieth more instructions.

extension ListReader where Element == TextReader {
  /// The text at the index, which must be one of `indices`.
  @inlinable @inline(__always)
  public subscript(index: Int) -> TextReader {
    @_lifetime(copy self) get throws(DecodingError) { try _list.pointer(index).text() }
  }
}

extension ListReader where Element == DataReader {
  /// The data at the index, which must be one of `indices`.
  @inlinable @inline(__always)
  public subscript(index: Int) -> DataReader {
    @_lifetime(copy self) get throws(DecodingError) { try _list.pointer(index).data() }
  }
}

extension ListReader: ListElement where Element: ~Escapable {
  /// A pointer.
  @inlinable public static var _elementSize: ElementSize { .pointer }
}

extension ListReader: PointerElement where Element: ~Escapable {
  /// Reads an element; the index is checked.
  @inlinable @_lifetime(copy list)
  public static func _element(
    _ list: AnyListReader, _ index: Int
  ) throws(DecodingError) -> ListReader {
    try list.pointer(index).list(of: Element.self)
  }
}
