/// A number that lies in a data section: the integers and floats of the schema language.
public protocol PrimitiveValue: BitwiseCopyable, Sendable, PrimitiveElement {
  /// The unsigned integer of the same size.
  associatedtype Bits: FixedWidthInteger & UnsignedInteger & BitwiseCopyable
  /// The value of the bits.
  init(_bits: Bits)
  /// The bits of the value.
  var _bits: Bits { get }
}

extension PrimitiveValue {
  /// The size code of a list of such values.
  @inlinable public static var _elementSize: ElementSize {
    switch Bits.bitWidth {
    case 8: .byte
    case 16: .twoBytes
    case 32: .fourBytes
    default: .eightBytes
    }
  }
  /// Reads an element; the index is checked.
  @inlinable @inline(__always)
  public static func _element(_ list: AnyListReader, _ index: Int) -> Self {
    Self(_bits: list.raw.load(index, as: Bits.self))
  }
  /// Reads an element of a list being built; the index is checked.
  @inlinable @inline(__always)
  public static func _element(_ list: AnyListBuilder, _ index: Int) -> Self {
    Self(_bits: list.raw.reader.load(index, as: Bits.self))
  }
  /// Writes an element; the index is checked.
  @inlinable @inline(__always)
  public static func _setElement(_ list: AnyListBuilder, _ index: Int, _ value: Self) {
    list.raw.store(index, value._bits)
  }
}

extension FixedWidthInteger where Self: UnsignedInteger, Self: PrimitiveValue {
  /// The value itself.
  @inlinable @inline(__always) public init(_bits: Self) { self = _bits }
  /// The value itself.
  @inlinable public var _bits: Self { @inline(__always) get { self } }
}

extension UInt8: PrimitiveValue {}
extension UInt16: PrimitiveValue {}
extension UInt32: PrimitiveValue {}
extension UInt64: PrimitiveValue {}

extension Int8: PrimitiveValue {
  /// The value with the bit pattern.
  @inlinable @inline(__always) public init(_bits: UInt8) { self.init(bitPattern: _bits) }
  /// The bit pattern.
  @inlinable public var _bits: UInt8 { @inline(__always) get { UInt8(bitPattern: self) } }
}
extension Int16: PrimitiveValue {
  /// The value with the bit pattern.
  @inlinable @inline(__always) public init(_bits: UInt16) { self.init(bitPattern: _bits) }
  /// The bit pattern.
  @inlinable public var _bits: UInt16 { @inline(__always) get { UInt16(bitPattern: self) } }
}
extension Int32: PrimitiveValue {
  /// The value with the bit pattern.
  @inlinable @inline(__always) public init(_bits: UInt32) { self.init(bitPattern: _bits) }
  /// The bit pattern.
  @inlinable public var _bits: UInt32 { @inline(__always) get { UInt32(bitPattern: self) } }
}
extension Int64: PrimitiveValue {
  /// The value with the bit pattern.
  @inlinable @inline(__always) public init(_bits: UInt64) { self.init(bitPattern: _bits) }
  /// The bit pattern.
  @inlinable public var _bits: UInt64 { @inline(__always) get { UInt64(bitPattern: self) } }
}
extension Float: PrimitiveValue {
  /// The value with the bit pattern.
  @inlinable @inline(__always) public init(_bits: UInt32) { self.init(bitPattern: _bits) }
  /// The bit pattern.
  @inlinable public var _bits: UInt32 { @inline(__always) get { bitPattern } }
}
extension Double: PrimitiveValue {
  /// The value with the bit pattern.
  @inlinable @inline(__always) public init(_bits: UInt64) { self.init(bitPattern: _bits) }
  /// The bit pattern.
  @inlinable public var _bits: UInt64 { @inline(__always) get { bitPattern } }
}

extension Bool: PrimitiveElement {
  /// One bit.
  @inlinable public static var _elementSize: ElementSize { .bit }
  /// Reads an element; the index is checked.
  @inlinable public static func _element(_ list: AnyListReader, _ index: Int) -> Bool {
    list.raw.loadBit(index)
  }
  /// Reads an element of a list being built; the index is checked.
  @inlinable public static func _element(_ list: AnyListBuilder, _ index: Int) -> Bool {
    list.raw.reader.loadBit(index)
  }
  /// Writes an element; the index is checked.
  @inlinable public static func _setElement(_ list: AnyListBuilder, _ index: Int, _ value: Bool) {
    list.raw.storeBit(index, value)
  }
}

/// The value of Void, as an element of a list.
@frozen public struct VoidValue: Hashable, Sendable, PrimitiveElement {
  /// The only value.
  @inlinable public init() {}
  /// No bits.
  @inlinable public static var _elementSize: ElementSize { .void }
  /// The only value.
  @inlinable public static func _element(_ list: AnyListReader, _ index: Int) -> VoidValue {
    VoidValue()
  }
  /// The only value.
  @inlinable public static func _element(_ list: AnyListBuilder, _ index: Int) -> VoidValue {
    VoidValue()
  }
  /// Does nothing.
  @inlinable
  public static func _setElement(_ list: AnyListBuilder, _ index: Int, _ value: VoidValue) {}
}

/// An enum of a schema. A number that this schema does not know is kept as it is.
public protocol SchemaEnum: Hashable, Sendable, PrimitiveElement {
  /// The enumerant with the number, known or not.
  init(rawValue: UInt16)
  /// The number.
  var rawValue: UInt16 { get }
}

extension SchemaEnum {
  /// Two bytes.
  @inlinable public static var _elementSize: ElementSize { .twoBytes }
  /// Reads an element; the index is checked.
  @inlinable public static func _element(_ list: AnyListReader, _ index: Int) -> Self {
    Self(rawValue: list.raw.load(index, as: UInt16.self))
  }
  /// Reads an element of a list being built; the index is checked.
  @inlinable public static func _element(_ list: AnyListBuilder, _ index: Int) -> Self {
    Self(rawValue: list.raw.reader.load(index, as: UInt16.self))
  }
  /// Writes an element; the index is checked.
  @inlinable public static func _setElement(_ list: AnyListBuilder, _ index: Int, _ value: Self) {
    list.raw.store(index, value.rawValue)
  }
}
