/// A struct of a message, read by place: what generated readers are made of.
///
/// It cannot outlive its message. Fields past the end of the struct, as an older sender leaves
/// them, read as zero before the default is applied (encoding specification, "Default Values" and
/// "Protocol Evolution").
@frozen public struct StructReader: ~Escapable {
  @usableFromInline let raw: RawStruct

  @inlinable @inline(__always) @_lifetime(immortal)
  init(raw: RawStruct) { self.raw = raw }

  /// The number of type `Value` at the index, counted in its own size.
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

  /// The struct that the pointer at the index leads to.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func readStructure<Reader: TypedStructReader & ~Escapable>(
    _ index: Int, as: Reader.Type = Reader.self
  ) throws(DecodingError) -> Reader {
    Reader(_raw: StructReader(raw: try raw.structure(index)))
  }

  /// The list that the pointer at the index leads to.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func readList<Element: ListElement & ~Escapable>(
    _ index: Int, of: Element.Type = Element.self
  ) throws(DecodingError) -> ListReader<Element> {
    ListReader(_list: AnyListReader(raw: try raw.list(index, Element._elementSize)))
  }

  /// The text that the pointer at the index leads to.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func readText(_ index: Int) throws(DecodingError) -> TextReader {
    TextReader(raw: try raw.text(index))
  }

  /// The data that the pointer at the index leads to.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func readData(_ index: Int) throws(DecodingError) -> DataReader {
    DataReader(raw: try raw.bytes(index))
  }

  /// Whether the pointer at the index is not null.
  @inlinable
  public func hasPointer(_ index: Int) -> Bool { !raw.pointer(index).word.isNull }

  /// The pointer at the index, whatever it leads to.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func pointer(_ index: Int) -> AnyPointerReader {
    AnyPointerReader(raw: raw.pointer(index))
  }

  /// The pointer at the index, or that of the default where it is null.
  @inlinable @_lifetime(copy self)
  public func pointer(_ index: Int, default value: ConstantMessage) -> AnyPointerReader {
    let pointer = raw.pointer(index)
    return AnyPointerReader(raw: pointer.word.isNull ? value.root : pointer)
  }

  /// The struct's sections as they are in the message; elements of a list of primitives that is
  /// read as structs have less than a word of data, rounded up here.
  public var layout: StructLayout {
    StructLayout(
      dataWords: UInt16(truncatingIfNeeded: (raw.dataBits &+ 63) >> 6), pointers: raw.pointers)
  }
}
