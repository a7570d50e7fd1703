import CapnProto
import CapnProtoSchema

/// A type as a field, constant or list element has it.
indirect enum SchemaType: Equatable {
  case void, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64
  case text, data
  case list(SchemaType)
  case enumeration(UInt64)
  case structure(UInt64, SchemaBrand)
  case interface(UInt64, SchemaBrand)
  /// A type parameter of a scope around.
  case parameter(TypeParameter.ID)
  /// A type parameter of the method, by index: only in the brands of its params and results.
  case implicitParameter(Int)
  /// AnyPointer, AnyStruct and AnyList: Swift code reads all three as a pointer.
  case anyPointer
  case capability
  /// A type that this generator cannot express, and the reason in words.
  case unsupported(String)

  init(_ type: Type.Reader) throws {
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
    case .list(let list): self = .list(try SchemaType(try list.elementType))
    case .enum(let named): self = .enumeration(named.typeId)
    case .struct(let named): self = .structure(named.typeId, try SchemaBrand(try named.brand))
    case .interface(let named): self = .interface(named.typeId, try SchemaBrand(try named.brand))
    case .anyPointer(let pointer): self = try SchemaType(pointer)
    case .unknown(let number):
      self = .unsupported("its type, number \(number), is newer than this generator")
    }
  }

  private init(_ pointer: Type.AnyPointer.Reader) throws {
    switch try pointer.which {
    case .unconstrained(let kind):
      if case .capability = try kind.which { self = .capability } else { self = .anyPointer }
    case .parameter(let place):
      self = .parameter(
        TypeParameter.ID(scope: place.scopeId, index: Int(place.parameterIndex)))
    case .implicitMethodParameter(let place): self = .implicitParameter(Int(place.parameterIndex))
    case .unknown(let number):
      self = .unsupported("its kind of AnyPointer, number \(number), is newer than this generator")
    }
  }

  /// Bits in the data section; 0 for Void, nil for pointers.
  var dataBits: Int? {
    switch self {
    case .void: 0
    case .bool: 1
    case .int8, .uint8: 8
    case .int16, .uint16, .enumeration: 16
    case .int32, .uint32, .float32: 32
    case .int64, .uint64, .float64: 64
    default: nil
    }
  }

  /// The innermost element type of lists of lists, or the type itself.
  var leaf: SchemaType {
    if case .list(let element) = self { element.leaf } else { self }
  }

  /// The ids of the nodes that the type names: its own or its innermost element's, and those that
  /// its parameters are bound to.
  var nodeIDs: [UInt64] {
    switch leaf {
    case .enumeration(let id): [id]
    case .structure(let id, let brand), .interface(let id, let brand): [id] + brand.nodeIDs
    default: []
    }
  }
}
