public import CapnProto

extension DynamicStruct {
  /// A struct or group of a message being built. It cannot outlive its message, nor its schema.
  public struct Builder: ~Escapable {
    /// The struct's type.
    public let schema: StructSchema
    /// The struct, by place; its sections are at least those of the type.
    public let raw: StructBuilder

    @_lifetime(copy raw)
    init(within schema: StructSchema, _ raw: StructBuilder) {
      self.schema = schema
      self.raw = raw
    }

    /// The struct as it stands, for reading.
    public var reader: Reader {
      @_lifetime(copy self) get { Reader(within: schema, raw.reader) }
    }

    /// The place of the field with the name.
    ///
    /// - Throws: ``DynamicError`` as ``value(_:)-(SchemaField)``.
    @_lifetime(copy self)
    public func value(_ name: String) throws(DynamicError) -> DynamicValue.Builder {
      guard let field = schema.field(name) else {
        throw .noSuchField(name, in: schema.displayName)
      }
      return try value(field)
    }

    /// The place of the field, to set or to build on.
    ///
    /// Setting, initializing or clearing a member of a union selects it. One that is not set cannot be
    /// built on: that would erase the member that is.
    ///
    /// - Throws: ``DynamicError`` if the field is of another struct.
    @_lifetime(copy self)
    public func value(_ field: SchemaField) throws(DynamicError) -> DynamicValue.Builder {
      guard let field = schema.own(field) else {
        throw .noSuchField(field.name, in: schema.displayName)
      }
      let membership = DynamicValue.Builder.Membership(field, in: schema)
      guard case .slot(let slot) = field.kind else {
        guard let group = schema.group(of: field) else {
          throw .noSuchField(field.name, in: schema.displayName)
        }
        return DynamicValue.Builder(
          type: .structure(group.node.id, group.brand), schema: schema.schema,
          place: .inline(raw, group), of: raw, membership)
      }
      guard slot.type.isPointer else {
        return DynamicValue.Builder(
          type: slot.type, schema: schema.schema,
          place: .field(raw, offset: slot.offset, mask: slot.defaultValue.bits), of: raw,
          membership)
      }
      return DynamicValue.Builder(
        type: schema.brand.resolve(slot.type), schema: schema.schema,
        place: .pointer(raw.pointer(slot.offset)), of: raw, membership,
        defaultValue: slot.defaultValue)
    }

    /// Puts every field back to its default, and the unnamed union to its first member.
    public func clear() {
      for field in schema.node.fields {
        switch field.kind {
        case .group:
          if let group = schema.group(of: field) {
            DynamicStruct.Builder(within: group, raw).clear()
          }
        case .slot(let slot):
          if slot.type.isPointer {
            raw.pointer(slot.offset).clear()
          } else {
            raw.write(slot.type, slot.offset, bits: 0)
          }
        }
      }
      if let offset = schema.node.discriminantOffset { raw.setDiscriminant(offset, 0) }
    }

    /// Sets every field to what the other struct, of the same type, has.
    ///
    /// - Throws: ``DynamicError`` if the source is damaged; what was copied until then stays.
    func copy(_ source: Reader) throws(DynamicError) {
      clear()
      for index in schema.node.fieldsOutsideUnion where source.has(schema.node.fields[index]) {
        try value(schema.node.fields[index]).set(try source.get(schema.node.fields[index]))
      }
      if let member = source.which {
        let place = try value(member)
        if source.has(member) { try place.set(try source.get(member)) } else { place.clear() }
      } else if let offset = schema.node.discriminantOffset, let number = source.discriminant {
        raw.setDiscriminant(offset, number)
      }
    }
  }
}

extension DynamicList {
  /// A list of a message being built. Its count is fixed when it is made.
  public struct Builder: ~Escapable {
    /// The type of the elements.
    public let elementType: SchemaType
    /// The declarations that the type is looked up in.
    public let schema: Schema
    let raw: AnyListBuilder

    @_lifetime(copy raw)
    init(_ elementType: SchemaType, _ schema: Schema, _ raw: AnyListBuilder) {
      self.elementType = elementType
      self.schema = schema
      self.raw = raw
    }

    /// Elements.
    public var count: Int { raw.count }
    /// The valid indices.
    public var indices: Range<Int> { 0..<raw.count }

    /// The list as it stands, for reading.
    public var reader: Reader {
      @_lifetime(copy self) get { Reader(elementType, schema, raw.reader) }
    }

    /// The place of the element at the index, which must be one of `indices`.
    @_lifetime(copy self)
    public func value(_ index: Int) -> DynamicValue.Builder {
      precondition(index >= 0 && index < count, indexOutOfRange(index, of: count))
      if case .structure(let id, let brand) = elementType,
        let type = schema.structure(id, brand: brand)
      {
        return DynamicValue.Builder(
          type: elementType, schema: schema, place: .inline(raw.structure(index), type))
      }
      return DynamicValue.Builder(
        type: elementType, schema: schema,
        place: elementType.isPointer ? .pointer(raw.pointer(index)) : .element(raw, index))
    }
  }
}

extension MessageBuilder {
  /// A new root struct of a type that is known only at run time, all zero.
  @_lifetime(borrow self, borrow schema)
  public borrowing func initRoot(as schema: borrowing StructSchema) -> DynamicStruct.Builder {
    DynamicStruct.Builder(within: copy schema, root.initStructure(layout: schema.node.layout))
  }

  /// The root struct, as a type that is known only at run time.
  @_lifetime(borrow self, borrow schema)
  public borrowing func root(as schema: borrowing StructSchema) -> DynamicStruct.Builder {
    DynamicStruct.Builder(within: copy schema, root.structure(layout: schema.node.layout))
  }
}
