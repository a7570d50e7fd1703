public import CapnProto

/// Lists whose element types are known only at run time.
public enum DynamicList {
  /// A list of a message, read in place. It cannot outlive its message, nor its schema.
  public struct Reader: ~Escapable {
    /// The type of the elements.
    public let elementType: SchemaType
    /// The declarations that the type is looked up in.
    public let schema: Schema
    /// The list, by place.
    public let raw: AnyListReader

    @_lifetime(copy raw)
    init(_ elementType: SchemaType, _ schema: Schema, _ raw: AnyListReader) {
      self.elementType = elementType
      self.schema = schema
      self.raw = raw
    }

    /// Elements.
    public var count: Int { raw.count }
    /// The valid indices.
    public var indices: Range<Int> { 0..<raw.count }

    /// The element at the index, which must be one of `indices`.
    ///
    /// - Throws: `DecodingError` if the element is a pointer that leads to nothing valid.
    @_lifetime(copy self)
    public func get(_ index: Int) throws(CapnProto.DecodingError) -> DynamicValue.Reader {
      precondition(index >= 0 && index < count, indexOutOfRange(index, of: count))
      switch elementType {
      case .void: return .void
      case .bool: return .bool(Bool._element(raw, index))
      case .int8: return .int(Int64(Int8._element(raw, index)))
      case .int16: return .int(Int64(Int16._element(raw, index)))
      case .int32: return .int(Int64(Int32._element(raw, index)))
      case .int64: return .int(Int64._element(raw, index))
      case .uint8: return .uint(UInt64(UInt8._element(raw, index)))
      case .uint16: return .uint(UInt64(UInt16._element(raw, index)))
      case .uint32: return .uint(UInt64(UInt32._element(raw, index)))
      case .uint64: return .uint(UInt64._element(raw, index))
      case .float32: return .float32(Float._element(raw, index))
      case .float64: return .float64(Double._element(raw, index))
      case .enumeration(let id):
        return .enumerant(
          DynamicEnum(schema: schema, id: id, number: UInt16._element(raw, index)))
      case .structure(let id, let brand):
        guard let type = schema.structure(id, brand: brand) else { return .void }
        return .structure(DynamicStruct.Reader(within: type, raw.structure(index)))
      default: return try DynamicValue.Reader(raw.pointer(index), as: elementType, schema)
      }
    }
  }
}

extension DynamicValue.Reader {
  /// What the pointer leads to, read as the type, which has no type parameters.
  @_lifetime(copy pointer)
  init(
    _ pointer: AnyPointerReader, as type: SchemaType, _ schema: Schema
  ) throws(CapnProto.DecodingError) {
    switch type {
    case .text: self = .text(try pointer.text())
    case .data: self = .data(try pointer.data())
    case .list(let element):
      self = .list(DynamicList.Reader(element, schema, try element.list(pointer)))
    case .structure(let id, let brand):
      let raw = try pointer.structure()
      // Loaded schemas have what their types name.
      guard let type = schema.structure(id, brand: brand) else {
        self = .anyPointer(pointer)
        return
      }
      self = .structure(DynamicStruct.Reader(within: type, raw))
    case .interface, .anyPointer(.capability):
      self = .capability(try pointer.capability())
    default: self = .anyPointer(pointer)
    }
  }
}

extension SchemaType {
  /// The list that the pointer leads to, whose elements can be read as this type.
  @_lifetime(copy pointer)
  func list(_ pointer: AnyPointerReader) throws(CapnProto.DecodingError) -> AnyListReader {
    switch self {
    case .void: try pointer.list(of: VoidValue.self)._list
    case .bool: try pointer.list(of: Bool.self)._list
    case .int8, .uint8: try pointer.list(of: UInt8.self)._list
    case .int16, .uint16, .enumeration: try pointer.list(of: UInt16.self)._list
    case .int32, .uint32, .float32: try pointer.list(of: UInt32.self)._list
    case .int64, .uint64, .float64: try pointer.list(of: UInt64.self)._list
    case .structure: try pointer.list(of: PointerHolder.self)._list
    default: try pointer.list(of: AnyPointerReader.self)._list
    }
  }
}
