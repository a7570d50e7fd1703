/// A struct of a message being built, written by place: what generated builders are made of.
///
/// It cannot outlive its message, and stays valid while other parts of the message are built.
@frozen public struct StructBuilder: ~Escapable {
  @usableFromInline let raw: RawStructBuilder

  @inlinable @inline(__always) @_lifetime(immortal)
  init(raw: RawStructBuilder) { self.raw = raw }

  /// The number at the index, counted in its own size.
  @inlinable @inline(__always)
  public func read<Value: PrimitiveValue>(_ index: Int, as: Value.Type = Value.self) -> Value {
    Value(_bits: raw.load(index, as: Value.Bits.self))
  }
  /// As ``read(_:as:)``, for a field with a default.
  @inlinable @inline(__always)
  public func read<Value: PrimitiveValue>(_ index: Int, default value: Value) -> Value {
    Value(_bits: raw.load(index, as: Value.Bits.self) ^ value._bits)
  }
  /// The Bool at the bit.
  @inlinable @inline(__always)
  public func readBool(_ bit: Int, default value: Bool = false) -> Bool {
    raw.loadBit(bit) != value
  }
  /// The enum at the index, counted in 16 bits.
  @inlinable @inline(__always)
  public func readEnum<Value: SchemaEnum>(_ index: Int, default value: UInt16 = 0) -> Value {
    Value(rawValue: raw.load(index, as: UInt16.self) ^ value)
  }
  /// The discriminant of a union, at the index counted in 16 bits.
  @inlinable @inline(__always)
  public func discriminant(_ index: Int) -> UInt16 { raw.load(index, as: UInt16.self) }

  /// Writes the number at the index, counted in its own size.
  @inlinable @inline(__always)
  public func write<Value: PrimitiveValue>(_ index: Int, _ value: Value) {
    raw.store(index, value._bits)
  }
  /// As ``write(_:_:)``, for a field with a default.
  @inlinable @inline(__always)
  public func write<Value: PrimitiveValue>(_ index: Int, _ value: Value, default: Value) {
    raw.store(index, value._bits ^ `default`._bits)
  }
  /// Writes the Bool at the bit.
  @inlinable @inline(__always)
  public func writeBool(_ bit: Int, _ value: Bool, default: Bool = false) {
    raw.storeBit(bit, value != `default`)
  }
  /// Writes the enum at the index, counted in 16 bits.
  @inlinable @inline(__always)
  public func writeEnum<Value: SchemaEnum>(_ index: Int, _ value: Value, default: UInt16 = 0) {
    raw.store(index, value.rawValue ^ `default`)
  }
  /// Writes the discriminant of a union, at the index counted in 16 bits.
  @inlinable @inline(__always)
  public func setDiscriminant(_ index: Int, _ value: UInt16) { raw.store(index, value) }

  /// Whether the pointer at the index is not null.
  @inlinable
  public func hasPointer(_ index: Int) -> Bool { !raw.pointer(index).word.isNull }

  /// The pointer at the index.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func pointer(_ index: Int) -> AnyPointerBuilder {
    AnyPointerBuilder(raw: raw.pointer(index))
  }

  /// The pointer at the index, holding a copy of the default where it was null.
  @_lifetime(copy self)
  public func pointer(_ index: Int, default value: ConstantMessage) -> AnyPointerBuilder {
    let pointer = raw.pointer(index)
    // The schema compiler encoded the default: it is valid.
    if pointer.word.isNull { try? pointer.copy(from: value.root) }
    return AnyPointerBuilder(raw: pointer)
  }

  /// The struct as it stands, for reading.
  @inlinable public var reader: StructReader {
    @_lifetime(copy self) get { StructReader(raw: raw.reader) }
  }
}
