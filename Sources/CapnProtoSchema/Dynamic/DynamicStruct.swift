// Safety. A default that a pointer field has lies in the schema, not in the message. A reader
// depends on both, from its making on, so a default handed out with the reader's own lifetime is
// alive: its field is looked up in the schema that the reader depends on, never in the caller's.

public import CapnProto

/// Structs whose types are known only at run time.
public enum DynamicStruct {
  /// A struct or group of a message, read in place. It cannot outlive its message, nor its schema.
  public struct Reader: ~Escapable {
    /// The struct's type.
    public let schema: StructSchema
    /// The struct, by place.
    public let raw: StructReader

    /// Reads the struct as the type.
    @_lifetime(copy raw, borrow schema)
    public init(_ schema: borrowing StructSchema, _ raw: StructReader) {
      self.schema = copy schema
      self.raw = raw
    }

    @_lifetime(copy raw)
    init(within schema: StructSchema, _ raw: StructReader) {
      self.schema = schema
      self.raw = raw
    }
  }
}

extension DynamicStruct.Reader {
  /// The member of the unnamed union that is set; nil without a union, or where this version of
  /// the schema does not know it.
  public var which: SchemaField? {
    guard let number = discriminant, Int(number) < schema.node.unionMembers.count else {
      return nil
    }
    return schema.node.fields[schema.node.unionMembers[Int(number)]]
  }

  /// The number of the union's member that is set; nil without a union.
  public var discriminant: UInt16? { schema.node.discriminantOffset.map { raw.discriminant($0) } }

  /// Whether the field is set: no member of a union where another one is, and no null pointer.
  public func has(_ field: SchemaField) -> Bool {
    guard let field = schema.own(field), isActive(field) else { return false }
    guard case .slot(let slot) = field.kind, slot.type.isPointer else { return true }
    return raw.hasPointer(slot.offset)
  }

  /// The value of the field with the name.
  ///
  /// - Throws: ``DynamicError`` as ``get(_:)-(SchemaField)``.
  @_lifetime(copy self)
  public func get(_ name: String) throws(DynamicError) -> DynamicValue.Reader {
    guard let field = schema.field(name) else {
      throw .noSuchField(name, in: schema.displayName)
    }
    return try get(field)
  }

  /// The value of the field, or its default.
  ///
  /// - Throws: ``DynamicError`` if the field is of another struct, if another member of its union
  ///   is set, or if the message is damaged.
  @_lifetime(copy self)
  public func get(_ field: SchemaField) throws(DynamicError) -> DynamicValue.Reader {
    guard let field = schema.own(field) else {
      throw .noSuchField(field.name, in: schema.displayName)
    }
    guard isActive(field) else { throw .inactive(field.name, in: schema.displayName) }
    switch field.kind {
    case .group:
      guard let group = schema.group(of: field) else {
        throw .noSuchField(field.name, in: schema.displayName)
      }
      return .structure(DynamicStruct.Reader(within: group, raw))
    case .slot(let slot):
      guard slot.type.isPointer else { return scalar(slot) }
      do throws(CapnProto.DecodingError) {
        return try DynamicValue.Reader(
          pointer(slot), as: schema.brand.resolve(slot.type), schema.schema)
      } catch { throw .damaged(error) }
    }
  }

  private func isActive(_ field: SchemaField) -> Bool {
    field.discriminant == nil || field.discriminant == discriminant
  }

  @_lifetime(copy self)
  private func pointer(_ slot: SchemaField.Slot) -> AnyPointerReader {
    let pointer = raw.pointer(slot.offset)
    guard pointer.isNull, let target = slot.defaultValue.target else { return pointer }
    let holder = target.reader
    return unsafe _overrideLifetime(holder.pointer, copying: self)
  }

  @_lifetime(copy self)
  private func scalar(_ slot: SchemaField.Slot) -> DynamicValue.Reader {
    let (offset, mask) = (slot.offset, slot.defaultValue.bits)
    func read<Value: PrimitiveValue>(_: Value.Type) -> Value {
      raw.read(offset, default: Value(_bits: Value.Bits(truncatingIfNeeded: mask)))
    }
    return switch slot.type {
    case .bool: .bool(raw.readBool(offset, default: mask != 0))
    case .int8: .int(Int64(read(Int8.self)))
    case .int16: .int(Int64(read(Int16.self)))
    case .int32: .int(Int64(read(Int32.self)))
    case .int64: .int(read(Int64.self))
    case .uint8: .uint(UInt64(read(UInt8.self)))
    case .uint16: .uint(UInt64(read(UInt16.self)))
    case .uint32: .uint(UInt64(read(UInt32.self)))
    case .uint64: .uint(read(UInt64.self))
    case .float32: .float32(read(Float.self))
    case .float64: .float64(read(Double.self))
    case .enumeration(let id):
      .enumerant(DynamicEnum(schema: schema.schema, id: id, number: read(UInt16.self)))
    default: .void
    }
  }
}

extension StructSchema {
  /// This struct's own field for one that the caller has; nil for one of another struct.
  func own(_ field: SchemaField) -> SchemaField? {
    guard field.owner == node.id, field.index < node.fields.count else { return nil }
    return node.fields[field.index]
  }
}

extension MessageReader {
  /// The root as a struct of a type that is known only at run time.
  ///
  /// - Throws: `DecodingError` if there is no root or it is no struct.
  @_lifetime(borrow self, borrow schema)
  public borrowing func root(
    as schema: borrowing StructSchema
  ) throws(CapnProto.DecodingError) -> DynamicStruct.Reader {
    DynamicStruct.Reader(schema, try root.structure())
  }
}
