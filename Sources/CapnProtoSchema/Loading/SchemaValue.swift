package import CapnProto

/// The value of a constant or annotation, or the default of a field.
///
/// It keeps a copy of what it points to.
public struct SchemaValue: Sendable {
  /// The kind of the value: that of its type, with nodes and elements left out.
  package let kind: Kind
  /// The bits of a number, Bool or enum, sign-extended; a message's field is their exclusive or
  /// with what lies in the message.
  package let bits: UInt64
  /// What the value points to; nil where the pointer is null.
  package let target: Ref<PointerHolder>?

  package enum Kind: Hashable {
    case void, bool, signed(Int), unsigned(Int), float32, float64, enumerant
    case text, data, list, structure, interface, anyPointer
  }

  init(_ value: Value.Reader) throws {
    (kind, bits) =
      switch try value.which {
      case .void: (.void, 0)
      case .bool(let value): (.bool, value ? 1 : 0)
      case .int8(let value): (.signed(8), UInt64(bitPattern: Int64(value)))
      case .int16(let value): (.signed(16), UInt64(bitPattern: Int64(value)))
      case .int32(let value): (.signed(32), UInt64(bitPattern: Int64(value)))
      case .int64(let value): (.signed(64), UInt64(bitPattern: value))
      case .uint8(let value): (.unsigned(8), UInt64(value))
      case .uint16(let value): (.unsigned(16), UInt64(value))
      case .uint32(let value): (.unsigned(32), UInt64(value))
      case .uint64(let value): (.unsigned(64), value)
      case .float32(let value): (.float32, UInt64(value.bitPattern))
      case .float64(let value): (.float64, value.bitPattern)
      case .enum(let number): (.enumerant, UInt64(number))
      case .text: (.text, 0)
      case .data: (.data, 0)
      case .list: (.list, 0)
      case .struct: (.structure, 0)
      case .interface: (.interface, 0)
      case .anyPointer: (.anyPointer, 0)
      case .unknown(let number): throw SchemaError.Problem.unknownKind(number)
      }
    switch kind {
    case .text, .data, .list, .structure, .anyPointer:
      // All of them are the one pointer of a Value.
      target = try PointerHolder.copy(value._raw.pointer(0))
    default: target = nil
    }
  }

  /// Whether the value is one of the type.
  func fits(_ type: SchemaType) -> Bool {
    switch (type, kind) {
    case (.void, .void), (.bool, .bool), (.enumeration, .enumerant), (.float32, .float32),
      (.float64, .float64), (.interface, .interface):
      true
    case (.int8, .signed(8)), (.int16, .signed(16)), (.int32, .signed(32)), (.int64, .signed(64)),
      (.uint8, .unsigned(8)), (.uint16, .unsigned(16)), (.uint32, .unsigned(32)),
      (.uint64, .unsigned(64)):
      true
    case (.text, .text): targetIs(.list) && isTerminated
    case (.data, .data), (.list, .list): targetIs(.list)
    case (.structure, .structure): targetIs(.structure)
    case (.anyPointer, .anyPointer), (.parameter, .anyPointer), (.implicitParameter, .anyPointer):
      true
    default: false
    }
  }

  private func targetIs(_ kind: PointerKind) -> Bool {
    guard let target else { return true }
    return (try? target.reader.pointer.kind) == kind
  }

  private var isTerminated: Bool {
    guard let target else { return true }
    return (try? target.reader.pointer.text().count) != nil
  }

  /// The bytes of the value; nil where it is no data, or null.
  public var data: [UInt8]? {
    guard kind == .data, let target else { return nil }
    return try? target.reader.pointer.data().array
  }

  /// The text of the value; nil where it is no text, or null.
  public var text: String? {
    guard kind == .text, let target else { return nil }
    return try? target.reader.pointer.text().string
  }
}

extension SchemaValue: Equatable {
  /// Whether both are of one kind and encoded alike.
  public static func == (one: SchemaValue, other: SchemaValue) -> Bool {
    one.kind == other.kind && one.bits == other.bits
      && one.target?.flattened() == other.target?.flattened()
  }
}

/// A struct of one pointer, which keeps a value that is not a struct itself.
package struct PointerHolder: TypedStructReader, ~Escapable {
  /// One pointer.
  package static var _layout: StructLayout { StructLayout(dataWords: 0, pointers: 1) }
  /// The struct, by place.
  package let _raw: StructReader

  /// Takes the struct for one of this type.
  @_lifetime(copy raw)
  package init(_raw raw: StructReader) { _raw = raw }

  /// The pointer.
  package var pointer: AnyPointerReader { @_lifetime(copy self) get { _raw.pointer(0) } }

  /// A copy of what the pointer leads to; nil where it is null.
  static func copy(_ source: AnyPointerReader) throws -> Ref<PointerHolder>? {
    if source.isNull { return nil }
    // A schema has many values, which are kept: none takes more memory than it needs.
    let message = MessageBuilder(firstSegmentWords: try source.totalSize().words + 2)
    try fill(message, source)
    // It is read for as long as the schema lives: what it may cost was counted when it was copied.
    return try Ref(
      message.freeze(limits: ReaderLimits(traversalWords: .max, nestingDepth: .max)))
  }

  /// A null pointer.
  static func null() throws -> Ref<PointerHolder> {
    let message = MessageBuilder(firstSegmentWords: 2)
    reserve(message)
    return try Ref(message.freeze())
  }

  // The builders end with these calls, so that the messages can be consumed after them.

  private static func reserve(_ message: borrowing MessageBuilder) {
    _ = message.root.initStructure(layout: _layout)
  }

  private static func fill(_ message: borrowing MessageBuilder, _ source: AnyPointerReader) throws {
    try message.root.initStructure(layout: _layout).pointer(0).set(source)
  }
}
