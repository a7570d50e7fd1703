public import CapnProto

/// Values whose types are known only at run time, from a schema that was loaded.
public enum DynamicValue {
  /// A value of a message, read in place. It cannot outlive its message, nor its schema.
  public enum Reader: ~Escapable {
    case void
    case bool(Bool)
    /// Int8 to Int64.
    case int(Int64)
    /// UInt8 to UInt64.
    case uint(UInt64)
    case float32(Float)
    case float64(Double)
    case text(TextReader)
    case data(DataReader)
    case list(DynamicList.Reader)
    case enumerant(DynamicEnum)
    /// A struct or group.
    case structure(DynamicStruct.Reader)
    /// A capability; nil where the pointer is null.
    case capability((any CapabilityHook)?)
    /// AnyPointer, AnyStruct or AnyList.
    case anyPointer(AnyPointerReader)
  }
}

/// The value of an enum: the number, which the schema need not know.
public struct DynamicEnum: Sendable {
  /// The declarations that the enum is looked up in.
  public let schema: Schema
  /// The enum.
  public let id: UInt64
  /// The number, as it is in the message.
  public let number: UInt16

  /// The enumerant; nil where this version of the schema does not know the number.
  public var enumerant: EnumNode.Enumerant? {
    guard let enumerants = schema.nodes[id]?.enumeration?.enumerants,
      Int(number) < enumerants.count
    else { return nil }
    return enumerants[Int(number)]
  }
}

/// What went wrong when a value was read or built by its schema.
public enum DynamicError: Error, Hashable, Sendable {
  /// The message is damaged.
  case damaged(CapnProto.DecodingError)
  /// The struct has no field of that name, or the field is one of another struct.
  case noSuchField(String, in: String)
  /// The field is a member of a union in which another one is set.
  case inactive(String, in: String)
  /// The value is not one of the type.
  case typeMismatch(expected: String, found: String)
  /// The number is not one that the type can have.
  case outOfRange(String, type: String)
  /// A list, text or data of so many elements has more words than allowed.
  case tooLarge(elements: Int)
}

extension DynamicError: CustomStringConvertible {
  /// The error in words.
  public var description: String {
    switch self {
    case .damaged(let error): "\(error)"
    case .noSuchField(let name, let type): "\(type) has no field '\(name)'"
    case .inactive(let name, let type): "'\(name)' of \(type) is not set"
    case .typeMismatch(let expected, let found): "expected \(expected), found \(found)"
    case .outOfRange(let number, let type): "\(number) is out of range for \(type)"
    case .tooLarge(let elements): "\(elements) elements are more than a message may hold"
    }
  }
}
