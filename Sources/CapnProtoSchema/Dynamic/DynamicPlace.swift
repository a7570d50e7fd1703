public import CapnProto

extension DynamicValue {
  /// The place of a value in a message being built: a field or element, set by its type.
  ///
  /// It cannot outlive its message, nor its schema.
  public struct Builder: ~Escapable {
    /// The type of the value, without type parameters.
    public let type: SchemaType
    /// The declarations that the type is looked up in.
    public let schema: Schema
    let place: Place
    /// The struct of which the value is a field; nil for an element of a list.
    let owner: StructBuilder?
    /// The union of which the field is a member.
    let membership: Membership?
    /// What a null pointer stands for.
    let defaultValue: SchemaValue?

    enum Place: ~Escapable {
      /// A number, Bool or enum in a struct.
      case field(StructBuilder, offset: Int, mask: UInt64)
      /// A number, Bool or enum in a list.
      case element(AnyListBuilder, Int)
      case pointer(AnyPointerBuilder)
      /// A group, or a struct in a list.
      case inline(StructBuilder, StructSchema)
    }

    /// A field that is a member of a union.
    struct Membership {
      let name: String
      let discriminant: UInt16
      /// The place of the union's discriminant, counted in 16 bits.
      let offset: Int
      /// The name of the struct.
      let structure: String

      /// The field as a member of the struct's union; nil for a field outside the union.
      init?(_ field: SchemaField, in schema: StructSchema) {
        guard let discriminant = field.discriminant, let offset = schema.node.discriminantOffset
        else { return nil }
        name = field.name
        self.discriminant = discriminant
        self.offset = offset
        structure = schema.displayName
      }
    }

    /// The place of a field of the struct.
    @_lifetime(copy place, copy owner)
    init(
      type: SchemaType, schema: Schema, place: Place, of owner: StructBuilder,
      _ membership: Membership?, defaultValue: SchemaValue? = nil
    ) {
      self.type = type
      self.schema = schema
      self.place = place
      self.owner = owner
      self.membership = membership
      self.defaultValue = defaultValue
    }

    /// The place of an element of a list.
    @_lifetime(copy place)
    init(type: SchemaType, schema: Schema, place: Place) {
      self.type = type
      self.schema = schema
      self.place = place
      owner = nil
      membership = nil
      defaultValue = nil
    }

    /// Makes the field the member of its union that is set.
    func select() {
      guard let owner, let membership else { return }
      owner.setDiscriminant(membership.offset, membership.discriminant)
    }

    /// Checks that the field is the member of its union that is set.
    func requireSelected() throws(DynamicError) {
      guard let owner, let membership,
        owner.discriminant(membership.offset) != membership.discriminant
      else { return }
      throw .inactive(membership.name, in: membership.structure)
    }
  }
}

extension DynamicValue.Builder {
  /// Puts the value back to its default: zero, null, or the fields of a group or element to theirs.
  ///
  /// It selects a member of a union.
  public func clear() {
    select()
    switch place {
    case .field(let structure, let offset, _): structure.write(type, offset, bits: 0)
    case .element(let list, let index): list.write(type, index, bits: 0)
    case .pointer(let pointer): pointer.clear()
    case .inline(let structure, let schema):
      DynamicStruct.Builder(within: schema, structure).clear()
    }
  }

  /// Sets an integer.
  ///
  /// - Throws: ``DynamicError`` if the type is no integer or float, or cannot have the number.
  public func set(integer: some BinaryInteger) throws(DynamicError) {
    func bits<Number: FixedWidthInteger>(_: Number.Type) throws(DynamicError) -> UInt64 {
      guard let number = Number(exactly: integer) else {
        throw .outOfRange("\(integer)", type: "\(type)")
      }
      return UInt64(truncatingIfNeeded: number)
    }
    switch type {
    case .int8: write(bits: try bits(Int8.self))
    case .int16: write(bits: try bits(Int16.self))
    case .int32: write(bits: try bits(Int32.self))
    case .int64: write(bits: try bits(Int64.self))
    case .uint8: write(bits: try bits(UInt8.self))
    case .uint16: write(bits: try bits(UInt16.self))
    case .uint32: write(bits: try bits(UInt32.self))
    case .uint64: write(bits: try bits(UInt64.self))
    case .float32: try set(float32: Float(integer))
    case .float64: try set(float: Double(integer))
    default: throw mismatch("an integer")
    }
  }

  /// Sets a float; a Float32 is rounded to.
  ///
  /// - Throws: ``DynamicError`` if the type is no float, or would round a finite number to an
  ///   infinite one.
  public func set(float: Double) throws(DynamicError) {
    switch type {
    case .float32:
      let rounded = Float(float)
      guard rounded.isFinite || !float.isFinite else {
        throw .outOfRange("\(float)", type: "\(type)")
      }
      try set(float32: rounded)
    case .float64: write(bits: float.bitPattern)
    default: throw mismatch("a float")
    }
  }

  /// Sets a Float32, without a change to the bits of a NaN.
  func set(float32: Float) throws(DynamicError) {
    guard type == .float32 else { throw mismatch("a float") }
    write(bits: UInt64(float32.bitPattern))
  }

  /// Sets a Bool.
  ///
  /// - Throws: ``DynamicError`` if the type is another.
  public func set(bool: Bool) throws(DynamicError) {
    guard type == .bool else { throw mismatch("a Bool") }
    write(bits: bool ? 1 : 0)
  }

  /// Sets Void, which only makes a member of a union the one that is set.
  ///
  /// - Throws: ``DynamicError`` if the type is another.
  public func setVoid() throws(DynamicError) {
    guard type == .void else { throw mismatch("Void") }
    select()
  }

  /// Sets the number of an enum, known or not.
  ///
  /// - Throws: ``DynamicError`` if the type is no enum.
  public func set(enumerant number: UInt16) throws(DynamicError) {
    guard case .enumeration = type else { throw mismatch("an enumerant") }
    write(bits: UInt64(number))
  }

  /// Sets an enum by the name of one of its enumerants.
  ///
  /// - Throws: ``DynamicError`` if the type is no enum, or has none of the name.
  public func set(enumerant name: String) throws(DynamicError) {
    guard case .enumeration(let id) = type else { throw mismatch("the enumerant '\(name)'") }
    guard let number = schema.nodes[id]?.enumeration?.number(of: name) else {
      throw .typeMismatch(
        expected: "an enumerant of \(schema.displayName(id))", found: "'\(name)'")
    }
    write(bits: UInt64(number))
  }

  /// Sets a text of the string's UTF-8.
  ///
  /// - Throws: ``DynamicError`` if the type is another, or the text is too long.
  public func set(text: String) throws(DynamicError) { try set(text: Array(text.utf8)) }

  /// Sets a text of the bytes, which should be UTF-8.
  ///
  /// - Throws: ``DynamicError`` if the type is another, or the text is too long.
  public func set(text bytes: [UInt8]) throws(DynamicError) {
    guard case .pointer(let pointer) = place, type == .text else { throw mismatch("a text") }
    try Self.check(bytes: bytes.count)
    select()
    pointer.setText(utf8: bytes.span)
  }

  /// Sets data of the bytes.
  ///
  /// - Throws: ``DynamicError`` if the type is another, or the data is too long.
  public func set(data bytes: [UInt8]) throws(DynamicError) {
    guard case .pointer(let pointer) = place, type == .data else { throw mismatch("data") }
    try Self.check(bytes: bytes.count)
    select()
    pointer.setData(bytes)
  }

  /// Sets a capability.
  ///
  /// - Throws: ``DynamicError`` if the type is no interface and no Capability.
  public func set(capability: (any CapabilityHook)?) throws(DynamicError) {
    guard case .pointer(let pointer) = place, type.isCapability else {
      throw mismatch("a capability")
    }
    select()
    pointer.setCapability(capability)
  }

  /// The pointer of an AnyPointer, AnyStruct or AnyList.
  ///
  /// - Throws: ``DynamicError`` if the type is another, or another member of the union is set.
  @_lifetime(copy self)
  public func anyPointer() throws(DynamicError) -> AnyPointerBuilder {
    guard case .pointer(let pointer) = place, case .anyPointer = type else {
      throw mismatch("AnyPointer")
    }
    try requireSelected()
    return pointer
  }

  /// The pointer of an AnyPointer, AnyStruct or AnyList, made null.
  ///
  /// - Throws: ``DynamicError`` if the type is another.
  @_lifetime(copy self)
  public func initAnyPointer() throws(DynamicError) -> AnyPointerBuilder {
    guard case .pointer(let pointer) = place, case .anyPointer = type else {
      throw mismatch("AnyPointer")
    }
    clear()
    return pointer
  }

  /// A new struct, or the group or list's element itself, all at its defaults.
  ///
  /// - Throws: ``DynamicError`` if the type is no struct.
  @_lifetime(copy self)
  public func initStructure() throws(DynamicError) -> DynamicStruct.Builder {
    switch place {
    case .inline(let structure, let schema):
      select()
      let builder = DynamicStruct.Builder(within: schema, structure)
      builder.clear()
      return builder
    case .pointer(let pointer):
      let schema = try structureSchema()
      select()
      return DynamicStruct.Builder(
        within: schema, pointer.initStructure(layout: schema.node.layout))
    default: throw mismatch("a struct")
    }
  }

  /// The struct that is there; a new one, or a copy of the default, where there is none.
  ///
  /// - Throws: ``DynamicError`` if the type is no struct, or another member of the union is set.
  @_lifetime(copy self)
  public func structure() throws(DynamicError) -> DynamicStruct.Builder {
    try requireSelected()
    switch place {
    case .inline(let structure, let schema):
      return DynamicStruct.Builder(within: schema, structure)
    case .pointer(let pointer):
      let schema = try structureSchema()
      try copyDefault(to: pointer)
      return DynamicStruct.Builder(within: schema, pointer.structure(layout: schema.node.layout))
    default: throw mismatch("a struct")
    }
  }

  /// A new list of the count, all zero or null.
  ///
  /// - Throws: ``DynamicError`` if the type is no list, or the count is more than a list can have.
  @_lifetime(copy self)
  public func initList(count: Int) throws(DynamicError) -> DynamicList.Builder {
    guard case .pointer(let pointer) = place, case .list(let element) = type else {
      throw mismatch("a list")
    }
    guard count >= 0, count < 1 << 29 else { throw .tooLarge(elements: count) }
    if case .structure(let id, _) = element, let node = schema.nodes[id]?.structure {
      guard let list = pointer.initStructureList(layout: node.layout, count: count) else {
        throw .tooLarge(elements: count)
      }
      select()
      return DynamicList.Builder(element, schema, list)
    }
    // A segment has room for 2^29 words less the landing pad.
    if element.isPointer || element.dataBits == 64, count >= 1 << 29 - 2 {
      throw .tooLarge(elements: count)
    }
    select()
    return DynamicList.Builder(element, schema, element.initList(pointer, count: count))
  }

  /// The list that is there; a copy of the default or an empty one where there is none.
  ///
  /// - Throws: ``DynamicError`` if the type is no list, or another member of the union is set.
  @_lifetime(copy self)
  public func list() throws(DynamicError) -> DynamicList.Builder {
    guard case .pointer(let pointer) = place, case .list(let element) = type else {
      throw mismatch("a list")
    }
    try requireSelected()
    try copyDefault(to: pointer)
    if case .structure(let id, _) = element, let node = schema.nodes[id]?.structure {
      return DynamicList.Builder(element, schema, pointer.structureList(layout: node.layout))
    }
    return DynamicList.Builder(element, schema, element.list(pointer))
  }
}

extension DynamicValue.Builder {
  /// Copies the value, in depth. What the schema of the value does not know is copied too, except
  /// in groups.
  ///
  /// - Throws: ``DynamicError`` if the value is not of the type, or is damaged.
  public func set(_ value: DynamicValue.Reader) throws(DynamicError) {
    switch value {
    case .void: try setVoid()
    case .bool(let value): try set(bool: value)
    case .int(let value): try set(integer: value)
    case .uint(let value): try set(integer: value)
    case .float32(let value):
      // A NaN keeps its payload.
      if type == .float32 { try set(float32: value) } else { try set(float: Double(value)) }
    case .float64(let value): try set(float: value)
    case .enumerant(let value):
      guard case .enumeration(value.id) = type else { throw mismatch("another enum") }
      write(bits: UInt64(value.number))
    case .text(let text): try set(text: text.array)
    case .data(let data): try set(data: data.array)
    case .list(let list):
      guard case .pointer(let pointer) = place, type == .list(list.elementType) else {
        throw mismatch("a list of \(list.schema.name(of: list.elementType))")
      }
      select()
      try Self.reading { () throws(CapnProto.DecodingError) in try pointer.set(list.raw) }
    case .structure(let structure): try set(structure)
    case .capability(let hook): try set(capability: hook)
    case .anyPointer(let source):
      guard case .pointer(let pointer) = place, case .anyPointer = type else {
        throw mismatch("AnyPointer")
      }
      select()
      try Self.reading { () throws(CapnProto.DecodingError) in try pointer.set(source) }
    }
  }

  private func set(_ source: DynamicStruct.Reader) throws(DynamicError) {
    guard case .structure(source.schema.node.id, _) = type else {
      throw mismatch("a \(source.schema.displayName)")
    }
    select()
    switch place {
    case .pointer(let pointer):
      try Self.reading { () throws(CapnProto.DecodingError) in try pointer.set(source.raw) }
    case .inline(let structure, let schema):
      try DynamicStruct.Builder(within: schema, structure).copy(source)
    default: throw mismatch("a struct")
    }
  }

  private static func reading(
    _ body: () throws(CapnProto.DecodingError) -> Void
  ) throws(DynamicError) {
    do throws(CapnProto.DecodingError) { try body() } catch { throw .damaged(error) }
  }

  private func structureSchema() throws(DynamicError) -> StructSchema {
    guard case .structure(let id, let brand) = type,
      let structure = schema.structure(id, brand: brand)
    else { throw mismatch("a struct") }
    return structure
  }

  private func copyDefault(to pointer: AnyPointerBuilder) throws(DynamicError) {
    guard pointer.isNull, let target = defaultValue?.target else { return }
    try Self.reading { () throws(CapnProto.DecodingError) in
      try pointer.set(target.reader.pointer)
    }
  }

  private func write(bits: UInt64) {
    select()
    switch place {
    case .field(let structure, let offset, let mask):
      structure.write(type, offset, bits: bits ^ mask)
    case .element(let list, let index): list.write(type, index, bits: bits)
    case .pointer, .inline: break
    }
  }

  private func mismatch(_ found: String) -> DynamicError {
    .typeMismatch(expected: schema.name(of: type), found: found)
  }

  private static func check(bytes: Int) throws(DynamicError) {
    guard bytes < 1 << 29 - 1 else { throw .tooLarge(elements: bytes) }
  }
}

extension SchemaType {
  var isCapability: Bool {
    switch self {
    case .interface, .anyPointer(.capability): true
    default: false
    }
  }

  /// A new list of elements of this type, which is no struct.
  @_lifetime(copy pointer)
  func initList(_ pointer: AnyPointerBuilder, count: Int) -> AnyListBuilder {
    switch self {
    case .void: pointer.initList(of: VoidValue.self, count: count)._list
    case .bool: pointer.initList(of: Bool.self, count: count)._list
    case .int8, .uint8: pointer.initList(of: UInt8.self, count: count)._list
    case .int16, .uint16, .enumeration: pointer.initList(of: UInt16.self, count: count)._list
    case .int32, .uint32, .float32: pointer.initList(of: UInt32.self, count: count)._list
    case .int64, .uint64, .float64: pointer.initList(of: UInt64.self, count: count)._list
    default: pointer.initList(of: AnyPointerBuilder.self, count: count)._list
    }
  }

  /// The list of elements of this type, which is no struct, that the pointer leads to.
  @_lifetime(copy pointer)
  func list(_ pointer: AnyPointerBuilder) -> AnyListBuilder {
    switch self {
    case .void: pointer.list(of: VoidValue.self)._list
    case .bool: pointer.list(of: Bool.self)._list
    case .int8, .uint8: pointer.list(of: UInt8.self)._list
    case .int16, .uint16, .enumeration: pointer.list(of: UInt16.self)._list
    case .int32, .uint32, .float32: pointer.list(of: UInt32.self)._list
    case .int64, .uint64, .float64: pointer.list(of: UInt64.self)._list
    default: pointer.list(of: AnyPointerBuilder.self)._list
    }
  }
}

extension StructBuilder {
  /// Writes a number, Bool or enum of the type, given by its bits.
  func write(_ type: SchemaType, _ offset: Int, bits: UInt64) {
    switch type.dataBits {
    case 1: writeBool(offset, bits & 1 != 0)
    case 8: write(offset, UInt8(truncatingIfNeeded: bits))
    case 16: write(offset, UInt16(truncatingIfNeeded: bits))
    case 32: write(offset, UInt32(truncatingIfNeeded: bits))
    case 64: write(offset, bits)
    default: break
    }
  }
}

extension AnyListBuilder {
  /// Writes a number, Bool or enum of the type, given by its bits.
  func write(_ type: SchemaType, _ index: Int, bits: UInt64) {
    switch type.dataBits {
    case 1: Bool._setElement(self, index, bits & 1 != 0)
    case 8: UInt8._setElement(self, index, UInt8(truncatingIfNeeded: bits))
    case 16: UInt16._setElement(self, index, UInt16(truncatingIfNeeded: bits))
    case 32: UInt32._setElement(self, index, UInt32(truncatingIfNeeded: bits))
    case 64: UInt64._setElement(self, index, bits)
    default: break
    }
  }
}

extension TextReader {
  /// A copy of the bytes, which need not be UTF-8.
  var array: [UInt8] {
    let bytes = bytes
    var array: [UInt8] = []
    array.reserveCapacity(bytes.count)
    for index in bytes.indices { array.append(bytes[index]) }
    return array
  }
}
