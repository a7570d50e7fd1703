/// A struct of a schema as a plain Swift value.
///
/// The generator makes one where the schema asks for it (`$Swift.value`).
public protocol StructValue: Hashable, Sendable {
  /// Reads the struct in a message.
  associatedtype Reader: TypedStructReader & ~Escapable
  /// Builds the struct in a message.
  associatedtype Builder: TypedStructBuilder & ~Escapable

  /// What an empty message is read as.
  init()
  /// Takes everything out of the message.
  ///
  /// - Throws: ``DecodingError`` if the message is invalid.
  init(_ reader: Reader) throws(DecodingError)
  /// Puts everything into the message, in place of what is there.
  func write(to builder: Builder)
}

/// A value on the heap, so that a struct may contain others of its own type.
@propertyWrapper public indirect enum Indirect<Value: Hashable & Sendable>: Hashable, Sendable {
  /// The value.
  case value(Value)

  /// Puts the value on the heap.
  public init(wrappedValue: Value) { self = .value(wrappedValue) }

  /// The value.
  public var wrappedValue: Value {
    get {
      switch self {
      case .value(let value): value
      }
    }
    set { self = .value(newValue) }
  }
}

extension ListReader where Element: InlineElement & ~Escapable {
  /// What the body makes of each element: what plain values are made of.
  @inlinable
  public func _values<Value>(
    _ body: (Element) throws(DecodingError) -> Value
  ) throws(DecodingError) -> [Value] {
    var values: [Value] = []
    for index in indices { values.append(try body(self[index])) }
    return values
  }
}

extension ListReader where Element: PointerElement & ~Escapable {
  /// What the body makes of each element: what plain values are made of.
  @inlinable
  public func _values<Value>(
    _ body: (Element) throws(DecodingError) -> Value
  ) throws(DecodingError) -> [Value] {
    var values: [Value] = []
    for index in indices { values.append(try body(try self[index])) }
    return values
  }
}
