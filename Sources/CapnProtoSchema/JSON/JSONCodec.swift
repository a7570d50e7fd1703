import CapnProto

/// The JSON form of messages, as the C++ implementation's `JsonCodec` has it with the annotations
/// of `capnp/compat/json.capnp`.
///
/// Int64 and UInt64 are strings, as are the floats that JSON has no number for; Data is an array of
/// bytes unless an annotation says otherwise. Members of unnamed unions follow the other fields. A
/// `Value` of that file is the JSON that it says.
public struct JSONCodec: Hashable, Sendable {
  /// Whether long objects and arrays are spread over lines.
  public var isPretty: Bool
  /// Whether members that the schema does not know are an error when JSON is read.
  public var rejectsUnknownMembers: Bool
  /// Bounds on what is read and written.
  public var limits: CodecLimits

  /// A codec of the layout and limits.
  public init(
    isPretty: Bool = true, rejectsUnknownMembers: Bool = false, limits: CodecLimits = .standard
  ) {
    self.isPretty = isPretty
    self.rejectsUnknownMembers = rejectsUnknownMembers
    self.limits = limits
  }

  /// The struct as a JSON object: the bytes of its texts as they are, whether UTF-8 or not.
  ///
  /// - Throws: ``DynamicError`` if the message is damaged; ``CodecError`` if it has capabilities or
  ///   AnyPointers, or passes a limit.
  public func encode(_ structure: DynamicStruct.Reader) throws -> [UInt8] {
    var encoder = JSONEncoding(limits: limits)
    return try encoder.value(structure, as: nil).text(isPretty: isPretty)
  }

  /// Builds the struct from the one JSON object that the text consists of.
  ///
  /// - Throws: ``CodecError`` that names line and column.
  public func decode(_ text: [UInt8], into builder: DynamicStruct.Builder) throws {
    var source = JSONSource(text, limits: limits)
    guard let value = try source.next() else {
      throw source.error(at: text.count, .unexpectedEnd)
    }
    try build(value, of: source, into: builder)
    try source.expectEnd()
  }

  func build(
    _ value: JSONValue, of source: JSONSource, into builder: DynamicStruct.Builder
  ) throws {
    var decoding = JSONDecoding(
      source: source, rejectsUnknownMembers: rejectsUnknownMembers)
    try decoding.fill(builder, with: value)
  }
}

/// One message on its way to JSON.
struct JSONEncoding {
  private var shapes: [UInt64: JSONShape] = [:]
  var budget: PrintBudget

  init(limits: CodecLimits) { budget = PrintBudget(limits: limits) }

  mutating func value(
    _ structure: DynamicStruct.Reader, as field: SchemaField?
  ) throws -> JSONValue {
    if structure.schema.node.id == JSONValue.typeID { return try value(said: structure) }
    var members: [(name: String, value: JSONValue)] = []
    try gather(structure, as: field, prefix: "", &members)
    return JSONValue(.object(members))
  }

  private mutating func shape(_ structure: StructSchema, _ field: SchemaField?) -> JSONShape {
    if let shape = shapes[structure.node.id] { return shape }
    let shape = JSONShape(structure, as: field)
    shapes[structure.node.id] = shape
    return shape
  }

  private mutating func gather(
    _ structure: DynamicStruct.Reader, as field: SchemaField?, prefix: String,
    _ members: inout [(name: String, value: JSONValue)]
  ) throws {
    try budget.enter()
    defer { budget.leave() }
    let shape = shape(structure.schema, field)
    for index in structure.schema.node.fieldsOutsideUnion
    where structure.has(structure.schema.node.fields[index]) {
      try gather(shape.fields[index], of: structure, shape, prefix: prefix, &members)
    }
    guard let active = structure.which else { return }
    let member = shape.fields[active.index]
    if let discriminator = shape.discriminator {
      members.append((prefix + discriminator, JSONValue(.string(Array(member.name.utf8)))))
      // The discriminator says all that there is to say of Void.
      if structure.schema.type(of: active) == .void { return }
    }
    try gather(member, of: structure, shape, prefix: prefix, &members)
  }

  private mutating func gather(
    _ member: JSONShape.Member, of structure: DynamicStruct.Reader, _ shape: JSONShape,
    prefix: String, _ members: inout [(name: String, value: JSONValue)]
  ) throws {
    let value = try structure.get(member.field)
    if let flatten = member.flatten, case .structure(let inner) = value {
      return try gather(inner, as: member.field, prefix: prefix + flatten, &members)
    }
    let name = prefix + shape.valueName(of: member)
    try budget.take(bytes: name.utf8.count + 4)
    let type = structure.schema.type(of: member.field)
    members.append((name, try self.value(value, type, as: member.field, member.dataForm)))
  }

  private mutating func value(
    _ value: DynamicValue.Reader, _ type: SchemaType?, as field: SchemaField,
    _ form: JSONAnnotations.DataForm
  ) throws -> JSONValue {
    switch value {
    case .void: return JSONValue(.null)
    case .bool(let value): return JSONValue(.bool(value))
    case .int(let value):
      return type == .int64
        ? JSONValue(.string(Array("\(value)".utf8))) : JSONValue(.number("\(value)"))
    case .uint(let value):
      return type == .uint64
        ? JSONValue(.string(Array("\(value)".utf8))) : JSONValue(.number("\(value)"))
    case .float32(let value): return Self.float(Double(value))
    case .float64(let value): return Self.float(value)
    case .text(let text):
      try budget.take(bytes: text.count)
      return JSONValue(.string(text.array))
    case .data(let data):
      // In an array each byte is a number with a comma and, as a value here, larger still.
      try budget.take(bytes: form == .array ? data.count * 4 : data.count * 2)
      return form.value(data.array)
    case .enumerant(let value):
      guard let enumerant = value.enumerant else { return JSONValue(.number("\(value.number)")) }
      let name = JSONAnnotations(enumerant.annotations).name ?? enumerant.name
      return JSONValue(.string(Array(name.utf8)))
    case .list(let list): return try self.value(list, as: field)
    case .structure(let structure): return try self.value(structure, as: field)
    case .capability: throw CodecError(nil, .inexpressible("interface, of '\(field.name)'"))
    case .anyPointer: throw CodecError(nil, .inexpressible("AnyPointer, of '\(field.name)'"))
    }
  }

  private mutating func value(
    _ list: DynamicList.Reader, as field: SchemaField
  ) throws -> JSONValue {
    try budget.enter()
    defer { budget.leave() }
    var elements: [JSONValue] = []
    for index in list.indices {
      try budget.take(bytes: 2)
      elements.append(try value(try list.get(index), list.elementType, as: field, .array))
    }
    return JSONValue(.array(elements))
  }

  private static func float(_ value: Double) -> JSONValue {
    if value.isNaN { return JSONValue(.string(Array("NaN".utf8))) }
    if value.isInfinite {
      return JSONValue(.string(Array((value < 0 ? "-Infinity" : "Infinity").utf8)))
    }
    return JSONValue(.number(FloatText.text(value)))
  }
}
