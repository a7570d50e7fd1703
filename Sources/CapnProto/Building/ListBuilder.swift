/// A list of a message being built whose element type is not known to the compiler.
@frozen public struct AnyListBuilder: ~Escapable {
  @usableFromInline let raw: RawListBuilder

  @inlinable @inline(__always) @_lifetime(immortal)
  init(raw: RawListBuilder) { self.raw = raw }

  /// Elements.
  @inlinable public var count: Int { raw.count }

  /// The element as a struct of its own layout. The index must be below `count`.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func structure(_ index: Int) -> StructBuilder {
    check(index)
    return StructBuilder(raw: raw.structure(index))
  }

  /// The element as a struct of at least the layout. What a list of such a type holds is so, hence
  /// the check says nothing new, but it is one for all fields that the compiler sees set after it.
  @inlinable @inline(__always) @_lifetime(copy self)
  func structure(_ index: Int, _ layout: StructLayout) -> StructBuilder {
    let element = structure(index)
    let found = element.raw.layout
    precondition(
      found.dataWords >= layout.dataWords && found.pointers >= layout.pointers,
      "the list has smaller elements")
    return element
  }

  /// The element as a pointer. The index must be below `count`.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func pointer(_ index: Int) -> AnyPointerBuilder {
    check(index)
    return AnyPointerBuilder(raw: raw.pointer(index))
  }

  /// The list as it stands, for reading.
  @inlinable public var reader: AnyListReader {
    @_lifetime(copy self) get { AnyListReader(raw: raw.reader) }
  }

  @inlinable @inline(__always)
  func check(_ index: Int) {
    precondition(index >= 0 && index < count, indexOutOfRange(index, of: count))
  }
}

/// A list of a message being built. Its count is fixed when it is made.
@frozen public struct ListBuilder<Element: ListElementBuilder & ~Escapable>: ~Escapable {
  /// The list without its type.
  public let _list: AnyListBuilder

  /// Builds the list as one of such elements: where it has smaller ones, that is a trap.
  @inlinable @inline(__always) @_lifetime(copy list)
  public init(_list list: AnyListBuilder) { _list = list }

  /// Elements.
  @inlinable public var count: Int { _list.count }
  /// The valid indices.
  @inlinable public var indices: Range<Int> { 0..<count }
}

extension ListBuilder: BitwiseCopyable where Element: ~Escapable {}

extension ListBuilder where Element: TypedStructBuilder & ~Escapable {
  /// The struct at the index, which must be one of `indices`.
  @inlinable @inline(__always)
  public subscript(index: Int) -> Element {
    @_lifetime(copy self) get { Element(_raw: _list.structure(index, Element._layout)) }
  }
}

extension ListBuilder where Element: PrimitiveElement {
  /// The element at the index, which must be one of `indices`.
  @inlinable @inline(__always)
  public subscript(index: Int) -> Element {
    get {
      _list.check(index)
      return Element._element(_list, index)
    }
    nonmutating set {
      _list.check(index)
      Element._setElement(_list, index, newValue)
    }
  }
}

extension ListBuilder where Element == TextType {
  /// The text at the index, which must be one of `indices`, as a copy.
  @inlinable @inline(__always)
  public subscript(index: Int) -> String {
    get { _list.pointer(index).string }
    nonmutating set { _list.pointer(index).setText(newValue) }
  }
}

extension ListBuilder where Element == DataType {
  /// The data at the index, which must be one of `indices`, as a copy.
  @inlinable @inline(__always)
  public subscript(index: Int) -> [UInt8] {
    get { _list.pointer(index).array }
    nonmutating set { _list.pointer(index).setData(newValue) }
  }
}

extension ListBuilder where Element == AnyPointerBuilder {
  /// The pointer at the index, which must be one of `indices`.
  public subscript(index: Int) -> AnyPointerBuilder {
    @_lifetime(copy self) get { _list.pointer(index) }
  }
}

extension ListBuilder: ListElementBuilder where Element: ~Escapable {
  /// A pointer.
  @inlinable public static var _elementSize: ElementSize { .pointer }

  /// The inner list at the index, which must be one of `indices`.
  @_lifetime(copy self)
  public func list<Inner: ListElementBuilder & ~Escapable>(
    _ index: Int
  ) -> Element where Element == ListBuilder<Inner> {
    _list.pointer(index).list(of: Inner.self)
  }

  /// A new inner list at the index, which must be one of `indices`.
  @_lifetime(copy self)
  public func initList<Inner: ListElementBuilder & ~Escapable>(
    _ index: Int, count: Int
  ) -> Element where Element == ListBuilder<Inner> {
    _list.pointer(index).initList(of: Inner.self, count: count)
  }
}

/// A builder of lists, of elements of one type.
public protocol TypedListBuilder: ListElementBuilder, ~Escapable {
  /// The size code of the list.
  static var _innerSize: ElementSize { get }
  /// The sections of an element, where elements are structs.
  static var _innerLayout: StructLayout { get }
  /// Builds the list as this type.
  @_lifetime(copy list)
  init(_list list: AnyListBuilder)
}

extension ListBuilder: TypedListBuilder where Element: ~Escapable {
  /// The size code of the list.
  @inlinable public static var _innerSize: ElementSize { Element._elementSize }
  /// The sections of an element, where elements are structs.
  @inlinable public static var _innerLayout: StructLayout { Element._structLayout }
}
