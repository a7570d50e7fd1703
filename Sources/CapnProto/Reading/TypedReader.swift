/// A generated reader of a struct type.
public protocol TypedStructReader: InlineElement, MessageView, ~Escapable {
  /// The sections that this version of the schema has.
  static var _layout: StructLayout { get }
  /// Reads the struct as this type.
  @_lifetime(copy raw)
  init(_raw raw: StructReader)
  /// The struct, read by place.
  var _raw: StructReader { @_lifetime(copy self) get }
}

extension TypedStructReader where Self: ~Escapable {
  /// Structs.
  @inlinable public static var _elementSize: ElementSize { .inlineComposite }
  /// Reads an element; the index is checked.
  @inlinable @inline(__always) @_lifetime(copy list)
  public static func _element(_ list: AnyListReader, _ index: Int) -> Self {
    Self(_raw: list.structure(index))
  }
  /// A reader that may be stored and sent to another task: it keeps its message alive.
  ///
  /// A message that is still being built, or that borrows its bytes, is copied for it.
  public func retained() throws(DecodingError) -> Ref<Self> { try Ref(_raw) }
}

/// What a list may consist of: numbers, Bool, enums, structs, texts, lists, capabilities.
public protocol ListElement: ~Escapable {
  /// The size that elements of this type need at least.
  static var _elementSize: ElementSize { get }
}

/// An element that is read without following a pointer.
public protocol InlineElement: ListElement, ~Escapable {
  /// Reads an element; the index is checked.
  @_lifetime(copy list)
  static func _element(_ list: AnyListReader, _ index: Int) -> Self
}

/// An element that lies behind a pointer.
public protocol PointerElement: ListElement, ~Escapable {
  /// Reads an element; the index is checked.
  @_lifetime(copy list)
  static func _element(_ list: AnyListReader, _ index: Int) throws(DecodingError) -> Self
}

/// An element that is copied in and out of a list.
public protocol PrimitiveElement: InlineElement, AssignableElement, ListElementType
where ElementReader == Self, ElementBuilder == Self, ElementValue == Self {
  /// Reads an element of a list being built; the index is checked.
  static func _element(_ list: AnyListBuilder, _ index: Int) -> Self
}
