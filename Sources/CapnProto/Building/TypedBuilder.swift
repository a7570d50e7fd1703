/// A generated builder of a struct type.
public protocol TypedStructBuilder: ListElementBuilder, ~Escapable {
  /// Reads the struct.
  associatedtype Reader: TypedStructReader & ~Escapable
  /// Builds the struct as this type; its sections are at least those of `_layout`.
  @_lifetime(copy raw)
  init(_raw raw: StructBuilder)
  /// The struct, written by place.
  var _raw: StructBuilder { @_lifetime(copy self) get }
}

extension TypedStructBuilder where Self: ~Escapable {
  /// The sections that this version of the schema has.
  @inlinable public static var _layout: StructLayout { Reader._layout }
  /// The struct as it stands, for reading.
  @inlinable public var reader: Reader {
    @_lifetime(copy self) get { Reader(_raw: _raw.reader) }
  }
  /// Structs.
  @inlinable public static var _elementSize: ElementSize { .inlineComposite }
  /// The sections of an element.
  @inlinable public static var _structLayout: StructLayout { _layout }
}

/// What a list being built may consist of.
public protocol ListElementBuilder: ~Escapable {
  /// The size code of the list.
  static var _elementSize: ElementSize { get }
  /// The sections of an element, where elements are structs.
  static var _structLayout: StructLayout { get }
}

extension ListElementBuilder where Self: ~Escapable {
  /// No sections: the elements are no structs.
  @inlinable public static var _structLayout: StructLayout {
    StructLayout(dataWords: 0, pointers: 0)
  }
}

/// What a list being built may consist of that is set by a Swift value.
public protocol AssignableElement: ListElementBuilder, ~Escapable {
  /// The Swift value: `String` for a text, `[UInt8]` for data, an array for a list.
  associatedtype ElementValue
  /// Writes an element; the index is checked.
  static func _setElement(_ list: AnyListBuilder, _ index: Int, _ value: ElementValue)
}

extension AnyPointerBuilder: ListElementBuilder {
  /// A pointer.
  @inlinable public static var _elementSize: ElementSize { .pointer }
}
