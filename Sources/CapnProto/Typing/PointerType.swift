/// A pointer type of the schema language, by name: what a type parameter is bound to.
///
/// Readers and builders depend on their message, so they cannot stand for a type where a value may
/// be stored, as in a server or a client. A type by name can: the namespace of a struct or
/// interface (`Person`), ``TextType``, ``DataType``, ``ListType``, ``AnyPointerType``. Of a generic
/// type it is `Box.Of<TextType>`. See schema-language specification, "Generic Types".
public protocol PointerType: ListElementType {
  /// What a pointer of the type is read as.
  associatedtype Reader: ~Escapable
  /// Reads the pointer as the type.
  @_lifetime(copy pointer)
  static func _read(_ pointer: AnyPointerReader) throws(DecodingError) -> Reader
  /// Sets the pointer to a copy of the value.
  static func _set(_ pointer: AnyPointerBuilder, _ value: Reader) throws(DecodingError)
}

/// A type, by name, that a list can consist of.
public protocol ListElementType {
  /// The type as an element of a list that is read.
  associatedtype ElementReader: ListElement & ~Escapable
  /// The type as an element of a list that is built.
  associatedtype ElementBuilder: ListElementBuilder & ~Escapable
}

/// A struct type by name: the namespace that the generator makes of it.
public protocol StructType: PointerType
where Reader: TypedStructReader, ElementReader == Reader, ElementBuilder == Builder {
  /// Builds the struct.
  associatedtype Builder: TypedStructBuilder & ~Escapable
}

extension StructType {
  /// Reads the pointer as a struct of the type.
  @inlinable @_lifetime(copy pointer)
  public static func _read(_ pointer: AnyPointerReader) throws(DecodingError) -> Reader {
    try pointer.structure()
  }
  /// Sets the pointer to a copy of the struct.
  @inlinable
  public static func _set(_ pointer: AnyPointerBuilder, _ value: Reader) throws(DecodingError) {
    try pointer.set(value)
  }
}

/// Text by name, and as an element of a list being built.
public enum TextType: PointerType, AssignableElement {
  public typealias ElementReader = TextReader
  public typealias ElementBuilder = TextType
  /// A pointer.
  @inlinable public static var _elementSize: ElementSize { .pointer }
  /// Reads the pointer as a text.
  @inlinable @_lifetime(copy pointer)
  public static func _read(_ pointer: AnyPointerReader) throws(DecodingError) -> TextReader {
    try pointer.text()
  }
  /// Sets the pointer to a copy of the text.
  public static func _set(_ pointer: AnyPointerBuilder, _ value: TextReader) throws(DecodingError) {
    pointer.set(value)
  }
  /// Writes an element; the index is checked.
  public static func _setElement(_ list: AnyListBuilder, _ index: Int, _ value: String) {
    list.pointer(index).setText(value)
  }
}

/// Data by name, and as an element of a list being built.
public enum DataType: PointerType, AssignableElement {
  public typealias ElementReader = DataReader
  public typealias ElementBuilder = DataType
  /// A pointer.
  @inlinable public static var _elementSize: ElementSize { .pointer }
  /// Reads the pointer as data.
  @inlinable @_lifetime(copy pointer)
  public static func _read(_ pointer: AnyPointerReader) throws(DecodingError) -> DataReader {
    try pointer.data()
  }
  /// Sets the pointer to a copy of the data.
  public static func _set(_ pointer: AnyPointerBuilder, _ value: DataReader) throws(DecodingError) {
    pointer.set(value)
  }
  /// Writes an element; the index is checked.
  public static func _setElement(_ list: AnyListBuilder, _ index: Int, _ value: [UInt8]) {
    list.pointer(index).setData(value)
  }
}

/// A list type by name: `ListType<UInt8>`, `ListType<Person>`.
public enum ListType<Element: ListElementType>: PointerType {
  public typealias ElementReader = ListReader<Element.ElementReader>
  public typealias ElementBuilder = ListBuilder<Element.ElementBuilder>
  /// Reads the pointer as a list of the elements.
  @inlinable @_lifetime(copy pointer)
  public static func _read(
    _ pointer: AnyPointerReader
  ) throws(DecodingError) -> ListReader<Element.ElementReader> {
    try pointer.list()
  }
  /// Sets the pointer to a copy of the list.
  @inlinable
  public static func _set(
    _ pointer: AnyPointerBuilder, _ value: ListReader<Element.ElementReader>
  ) throws(DecodingError) {
    try pointer.set(value)
  }
}

/// Any pointer type: what a type parameter is that is not bound.
public enum AnyPointerType: PointerType {
  public typealias ElementReader = AnyPointerReader
  public typealias ElementBuilder = AnyPointerBuilder
  /// The pointer itself.
  @inlinable @_lifetime(copy pointer)
  public static func _read(_ pointer: AnyPointerReader) throws(DecodingError) -> AnyPointerReader {
    pointer
  }
  /// Sets the pointer to a copy of what the other one leads to.
  @inlinable
  public static func _set(
    _ pointer: AnyPointerBuilder, _ value: AnyPointerReader
  ) throws(DecodingError) {
    try pointer.set(value)
  }
}
