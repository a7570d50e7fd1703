import CapnProto
import CapnProtoSchema

/// A type as a field, constant or list element has it.
indirect enum SchemaType: Equatable {
  case void, bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64
  case text, data
  case list(SchemaType)
  case enumeration(UInt64)
  case structure(UInt64)
  case interface(UInt64)
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
    case .list(let list):
      let element = try SchemaType(try list.elementType)
      self =
        element == .capability
        ? .unsupported("List(Capability) is not supported yet; a list of an interface is")
        : .list(element)
    case .enum(let named): self = .enumeration(named.typeId)
    case .struct(let named):
      self = try named.brand.isBound ? .unsupported(Self.generic) : .structure(named.typeId)
    case .interface(let named):
      self = try named.brand.isBound ? .unsupported(Self.generic) : .interface(named.typeId)
    case .anyPointer(let pointer): self = try SchemaType(pointer)
    case .unknown(let number):
      self = .unsupported("its type, number \(number), is newer than this generator")
    }
  }

  private init(_ pointer: Type.AnyPointer.Reader) throws {
    switch try pointer.which {
    case .unconstrained(let kind):
      if case .capability = try kind.which { self = .capability } else { self = .anyPointer }
    case .parameter, .implicitMethodParameter: self = .unsupported(Self.generic)
    case .unknown(let number):
      self = .unsupported("its kind of AnyPointer, number \(number), is newer than this generator")
    }
  }

  static let generic = "generic types are not supported yet"

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

  /// The id of the node that the type or its innermost element names.
  var nodeID: UInt64? {
    switch leaf {
    case .enumeration(let id), .structure(let id), .interface(let id): id
    default: nil
    }
  }
}

extension Brand.Reader {
  /// Whether type parameters are given or inherited.
  var isBound: Bool {
    get throws { !(try scopes.isEmpty) }
  }
}
