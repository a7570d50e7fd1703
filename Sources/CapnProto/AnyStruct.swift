/// A struct of a type that is not known: AnyStruct.
extension StructReader: TypedStructReader {
  /// No sections: any struct will do.
  @inlinable public static var _layout: StructLayout { StructLayout(dataWords: 0, pointers: 0) }
  /// The struct itself.
  @inlinable @_lifetime(copy raw) public init(_raw raw: StructReader) { self = raw }
  /// The struct itself.
  @inlinable public var _raw: StructReader { @_lifetime(copy self) get { self } }
}

/// A struct of a type that is not known, being built: AnyStruct.
extension StructBuilder: TypedStructBuilder {
  public typealias Reader = StructReader
  /// The struct itself.
  @inlinable @_lifetime(copy raw) public init(_raw raw: StructBuilder) { self = raw }
  /// The struct itself.
  @inlinable public var _raw: StructBuilder { @_lifetime(copy self) get { self } }
}

/// A list of a type that is not known: AnyList.
extension AnyListReader: PointerElement {
  /// A pointer.
  @inlinable public static var _elementSize: ElementSize { .pointer }
  /// Reads an element; the index is checked.
  @inlinable @_lifetime(copy list)
  public static func _element(
    _ list: AnyListReader, _ index: Int
  ) throws(DecodingError) -> AnyListReader {
    try list.pointer(index).anyList()
  }
}

/// A list of a type that is not known, being built: AnyList.
extension AnyListBuilder: ListElementBuilder {
  /// A pointer.
  @inlinable public static var _elementSize: ElementSize { .pointer }
}
