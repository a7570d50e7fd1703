/// A pointer of a message being built whose type is a type parameter of the schema.
///
/// What can be done with it depends on what the parameter is bound to; ``any`` does it all.
@frozen public struct PointerBuilder<Target: PointerType>: ~Escapable {
  /// The pointer without its type.
  public let any: AnyPointerBuilder

  /// Takes the pointer for one to the type.
  @inlinable @inline(__always) @_lifetime(copy any)
  public init(_ any: AnyPointerBuilder) { self.any = any }

  /// Whether the pointer is null.
  @inlinable public var isNull: Bool { any.isNull }

  /// The pointer as it stands, for reading.
  @inlinable public var reader: Target.Reader {
    @_lifetime(copy self) get throws(DecodingError) { try Target._read(any.reader) }
  }

  /// Copies the value, in depth.
  ///
  /// - Throws: ``DecodingError`` if the source is invalid; what was copied until then stays.
  @inlinable
  public func set(_ value: Target.Reader) throws(DecodingError) { try Target._set(any, value) }

  /// Makes the pointer null and erases what it led to.
  public func clear() { any.clear() }

  /// Leads the pointer to the orphan, and erases what it led to before.
  public func adopt(_ orphan: consuming Orphan<Target.ElementBuilder>) { any.adopt(orphan) }

  /// Makes the pointer null and keeps what it led to.
  @_lifetime(copy self)
  public func disown() -> Orphan<Target.ElementBuilder> { any.disown() }
}

extension PointerBuilder where Target: StructType {
  /// A new struct, all zero.
  @inlinable @_lifetime(copy self)
  public func initialize() -> Target.Builder { any.initStructure() }

  /// The struct; a new one where the pointer is null.
  @inlinable public var structure: Target.Builder {
    @_lifetime(copy self) get { any.structure() }
  }
}

extension PointerBuilder {
  /// A new list of the count, all zero or null.
  @inlinable @_lifetime(copy self)
  public func initialize<Element>(count: Int) -> ListBuilder<Element.ElementBuilder>
  where Target == ListType<Element> {
    any.initList(count: count)
  }

  /// The list; an empty one where the pointer is null.
  @inlinable @_lifetime(copy self)
  public func list<Element>() -> ListBuilder<Element.ElementBuilder>
  where Target == ListType<Element> {
    any.list()
  }
}

extension PointerBuilder where Target == TextType {
  /// The text, as a copy.
  public var string: String {
    get { any.string }
    nonmutating set { any.setText(newValue) }
  }
}

extension PointerBuilder where Target == DataType {
  /// The bytes, as a copy.
  public var array: [UInt8] {
    get { any.array }
    nonmutating set { any.setData(newValue) }
  }
}
