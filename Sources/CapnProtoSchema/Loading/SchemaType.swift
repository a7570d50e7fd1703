import CapnProto

/// A type as a field, constant, list element or type parameter has it.
public indirect enum SchemaType: Hashable, Sendable {
  case void, bool
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case float32, float64
  case text, data
  case list(SchemaType)
  /// The enum with the id.
  case enumeration(UInt64)
  /// The struct with the id, and what its type parameters are.
  case structure(UInt64, SchemaBrand)
  /// The interface with the id, and what its type parameters are.
  case interface(UInt64, SchemaBrand)
  case anyPointer(AnyPointerKind)
  /// A type parameter of the generic type with the id.
  case parameter(scope: UInt64, index: UInt16)
  /// A type parameter of a method.
  case implicitParameter(index: UInt16)

  /// What an AnyPointer may lead to.
  public enum AnyPointerKind: Hashable, Sendable {
    /// Anything: AnyPointer.
    case any
    /// AnyStruct.
    case structure
    /// AnyList.
    case list
    /// Capability.
    case capability
  }

  /// Bits in the data section; 0 for Void, nil for what lies behind a pointer.
  public var dataBits: Int? {
    switch self {
    case .void: 0
    case .bool: 1
    case .int8, .uint8: 8
    case .int16, .uint16, .enumeration: 16
    case .int32, .uint32, .float32: 32
    case .int64, .uint64, .float64: 64
    case .text, .data, .list, .structure, .interface, .anyPointer, .parameter, .implicitParameter:
      nil
    }
  }

  /// Whether values of the type lie behind a pointer.
  public var isPointer: Bool { dataBits == nil }
}

extension SchemaType: CustomStringConvertible {
  /// The type as the schema language has it; nodes are named by id.
  public var description: String {
    switch self {
    case .void: "Void"
    case .bool: "Bool"
    case .int8: "Int8"
    case .int16: "Int16"
    case .int32: "Int32"
    case .int64: "Int64"
    case .uint8: "UInt8"
    case .uint16: "UInt16"
    case .uint32: "UInt32"
    case .uint64: "UInt64"
    case .float32: "Float32"
    case .float64: "Float64"
    case .text: "Text"
    case .data: "Data"
    case .list(let element): "List(\(element))"
    // Bindings are left out: those of a generic type that contains itself may grow without bound.
    case .enumeration(let id), .structure(let id, _), .interface(let id, _):
      "0x" + String(id, radix: 16)
    case .anyPointer(.any): "AnyPointer"
    case .anyPointer(.structure): "AnyStruct"
    case .anyPointer(.list): "AnyList"
    case .anyPointer(.capability): "Capability"
    case .parameter(_, let index), .implicitParameter(let index): "parameter \(index)"
    }
  }
}

extension SchemaType {
  /// Levels of lists and bindings in a type that the loader follows.
  static var nestingDepth: Int { 32 }

  /// Reads a type.
  ///
  /// - Throws: `DecodingError`, or a ``SchemaError/Problem``.
  package init(_ type: Type.Reader) throws { try self.init(type, depth: Self.nestingDepth) }

  init(_ type: Type.Reader, depth: Int) throws {
    guard depth > 0 else { throw SchemaError.Problem.nestedTooDeep }
    switch try type.which {
    case .void: self = .void
    case .bool: self = .bool
    case .int8: self = .int8
    case .int16: self = .int16
    case .int32: self = .int32
    case .int64: self = .int64
    case .uint8: self = .uint8
    case .uint16: self = .uint16
    case .uint32: self = .uint32
    case .uint64: self = .uint64
    case .float32: self = .float32
    case .float64: self = .float64
    case .text: self = .text
    case .data: self = .data
    case .list(let list): self = .list(try SchemaType(try list.elementType, depth: depth - 1))
    case .enum(let named): self = .enumeration(named.typeId)
    case .struct(let named):
      self = .structure(named.typeId, try SchemaBrand(try named.brand, depth: depth - 1))
    case .interface(let named):
      self = .interface(named.typeId, try SchemaBrand(try named.brand, depth: depth - 1))
    case .anyPointer(let pointer): self = try SchemaType(pointer)
    case .unknown(let number): throw SchemaError.Problem.unknownKind(number)
    }
  }

  private init(_ pointer: Type.AnyPointer.Reader) throws {
    switch try pointer.which {
    case .unconstrained(let kind):
      switch try kind.which {
      case .anyKind: self = .anyPointer(.any)
      case .struct: self = .anyPointer(.structure)
      case .list: self = .anyPointer(.list)
      case .capability: self = .anyPointer(.capability)
      case .unknown(let number): throw SchemaError.Problem.unknownKind(number)
      }
    case .parameter(let parameter):
      self = .parameter(scope: parameter.scopeId, index: parameter.parameterIndex)
    case .implicitMethodParameter(let parameter):
      self = .implicitParameter(index: parameter.parameterIndex)
    case .unknown(let number): throw SchemaError.Problem.unknownKind(number)
    }
  }
}
