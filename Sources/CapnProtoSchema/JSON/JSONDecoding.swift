import CapnProto

/// One message on its way from JSON.
struct JSONDecoding {
  private let source: JSONSource
  private let rejectsUnknownMembers: Bool
  private var names: [UInt64: JSONNames] = [:]
  /// The numbers of the enumerants of the enums that were met.
  private var enumerants: [UInt64: [String: UInt16]] = [:]
  /// Fields, and bytes of their names, that may still be gathered of all types: more than any honest
  /// schema has, though each level of flattened fields may double them.
  private var namesLeft = 1 << 20
  var budget: WordBudget

  init(source: JSONSource, rejectsUnknownMembers: Bool) {
    self.source = source
    self.rejectsUnknownMembers = rejectsUnknownMembers
    budget = WordBudget(limit: source.limits.words)
  }

  /// Builds the struct from an object.
  ///
  /// - Throws: ``CodecError``.
  mutating func fill(_ builder: DynamicStruct.Builder, with value: JSONValue) throws {
    do {
      try fill(builder, with: value, as: nil)
    } catch let problem as CodecError.Problem {
      throw source.error(at: value.offset, problem)
    } catch let error as DynamicError {
      throw source.error(at: value.offset, .value(error))
    }
  }

  private mutating func fill(
    _ builder: DynamicStruct.Builder, with value: JSONValue, as field: SchemaField?
  ) throws {
    if builder.schema.node.id == JSONValue.typeID { return try fill(builder, saying: value) }
    guard case .object(let members) = value.kind else {
      throw DynamicError.typeMismatch(
        expected: builder.schema.displayName, found: value.name)
    }
    let names = try names(builder.schema, field)
    let chosen = try choose(members, names, builder)
    for member in members where names.discriminators[member.name] == nil {
      guard let entry = names.entry(member.name, chosen) else {
        if rejectsUnknownMembers {
          throw source.error(
            at: member.value.offset, .unknownName(member.name, in: builder.schema.displayName))
        }
        continue
      }
      do {
        try set(builder, entry.path[...], entry.member, to: member.value)
      } catch let problem as CodecError.Problem {
        throw source.error(at: member.value.offset, problem)
      } catch let error as DynamicError {
        throw source.error(at: member.value.offset, .value(error))
      }
    }
  }

  private mutating func names(_ structure: StructSchema, _ field: SchemaField?) throws -> JSONNames
  {
    if let names = names[structure.node.id] { return names }
    let names = try JSONNames(
      structure, as: field, nestingDepth: source.limits.nestingDepth, left: &namesLeft)
    self.names[structure.node.id] = names
    return names
  }

  /// Sets the members of the unions whose discriminators the object has.
  private mutating func choose(
    _ members: [(name: String, value: JSONValue)], _ names: JSONNames,
    _ builder: DynamicStruct.Builder
  ) throws -> [[Int]: Int] {
    var chosen: [[Int]: Int] = [:]
    for member in members {
      guard let discriminator = names.discriminators[member.name],
        case .string(let word) = member.value.kind
      else { continue }
      let name = String(decoding: word, as: UTF8.self)
      guard let choice = discriminator.members[name] else {
        if rejectsUnknownMembers {
          throw source.error(
            at: member.value.offset, .unknownName(name, in: builder.schema.displayName))
        }
        continue
      }
      chosen[discriminator.path.map(\.index)] = choice.index
      try select(builder, discriminator.path[...], choice)
    }
    return chosen
  }

  private mutating func select(
    _ builder: DynamicStruct.Builder, _ path: ArraySlice<SchemaField>, _ field: SchemaField
  ) throws {
    guard let step = path.first else {
      _ = try enter(builder, field)
      return
    }
    try select(try enter(builder, step).structure(), path.dropFirst(), field)
  }

  /// The place of a field, which is the member of its union from here on. What another member left
  /// there is cleared.
  @_lifetime(copy builder)
  private func enter(
    _ builder: DynamicStruct.Builder, _ field: SchemaField
  ) throws -> DynamicValue.Builder {
    let isNew = field.discriminant != nil && field.discriminant != builder.reader.discriminant
    let place = try builder.value(field)
    if isNew { place.clear() }
    return place
  }

  private mutating func set(
    _ builder: DynamicStruct.Builder, _ path: ArraySlice<SchemaField>, _ member: JSONShape.Member,
    to value: JSONValue
  ) throws {
    if let step = path.first {
      let place = try enter(builder, step)
      return try set(try place.structure(), path.dropFirst(), member, to: value)
    }
    try set(try enter(builder, member.field), to: value, member)
  }

  private mutating func set(
    _ place: DynamicValue.Builder, to value: JSONValue, _ member: JSONShape.Member
  ) throws {
    switch (place.type, value.kind) {
    case (.void, _): break
    case (.bool, .bool(let value)): try place.set(bool: value)
    case (.float32, .null), (.float64, .null): try place.set(float: .nan)
    case (.enumeration, .number(let literal)):
      guard let number = DecimalNumber(literal.utf8) else {
        throw CodecError.Problem.invalidNumber(DecimalNumber.shortened(literal.utf8))
      }
      try place.set(
        enumerant: number.integer(as: UInt16.self, named: place.schema.name(of: place.type)))
    case (.enumeration(let id), .string(let bytes)):
      try place.set(enumerant: try enumerant(id, bytes, place.schema))
    case (let type, .number(let literal)) where type.isNumber:
      try place.set(number: literal.utf8)
    case (let type, .string(let bytes)) where type.isNumber: try place.set(number: bytes)
    case (.text, .string(let bytes)):
      try budget.take(bytes: bytes.count)
      try place.set(text: bytes)
    case (.data, _):
      guard let bytes = member.dataForm.bytes(value) else { throw CodecError.Problem.invalidBytes }
      try budget.take(bytes: bytes.count)
      try place.set(data: bytes)
    case (.list, .array(let elements)): try set(place, to: elements, member)
    case (.structure(JSONValue.typeID, _), _), (.structure, .object):
      try budget.take(structureAt: place)
      try fill(try place.initStructure(), with: value, as: member.field)
    case (.interface, _), (.anyPointer, _):
      throw CodecError.Problem.inexpressible(place.schema.name(of: place.type))
    default:
      throw DynamicError.typeMismatch(
        expected: place.schema.name(of: place.type), found: value.name)
    }
  }

  private mutating func set(
    _ place: DynamicValue.Builder, to elements: [JSONValue], _ member: JSONShape.Member
  ) throws {
    try budget.take(elements: elements.count, of: place)
    let list = try place.initList(count: elements.count)
    let element = JSONShape.Member(
      field: member.field, name: member.name, flatten: nil, dataForm: .array)
    for index in list.indices {
      do {
        try set(list.value(index), to: elements[index], element)
      } catch let problem as CodecError.Problem {
        throw source.error(at: elements[index].offset, problem)
      } catch let error as DynamicError {
        throw source.error(at: elements[index].offset, .value(error))
      }
    }
  }

  private mutating func enumerant(
    _ id: UInt64, _ word: [UInt8], _ schema: Schema
  ) throws -> UInt16 {
    let name = String(decoding: word, as: UTF8.self)
    guard let number = enumerants(id, schema)[name] else {
      throw CodecError.Problem.unknownName(name, in: schema.displayName(id))
    }
    return number
  }

  private mutating func enumerants(_ id: UInt64, _ schema: Schema) -> [String: UInt16] {
    if let known = enumerants[id] { return known }
    let names = (schema.nodes[id]?.enumeration?.enumerants ?? [])
      .map { JSONAnnotations($0.annotations).name ?? $0.name }
    let numbers: [String: UInt16] = names.numbered()
    enumerants[id] = numbers
    return numbers
  }
}

/// The names that an object for a struct may have, those of flattened fields among them.
private struct JSONNames {
  /// The fields that a name may stand for. Two members of a union may share one.
  private var entries: [String: [Entry]] = [:]
  /// Discriminators by name.
  private(set) var discriminators: [String: Discriminator] = [:]

  struct Entry {
    /// The flattened fields that lead from the struct to the one that has the field.
    let path: [SchemaField]
    let member: JSONShape.Member
    /// The members of unions that discriminators have to choose, by the path to the union: without
    /// them the name does not say which member is meant.
    let choices: [[Int]: Int]
  }

  struct Discriminator {
    let path: [SchemaField]
    let members: [String: SchemaField]
  }

  init(
    _ structure: StructSchema, as field: SchemaField?, nestingDepth: Int, left: inout Int
  ) throws {
    try add(
      structure, as: field, path: [], choices: [:], prefix: "", nestingDepth: nestingDepth,
      left: &left)
  }

  private mutating func add(
    _ structure: StructSchema, as field: SchemaField?, path: [SchemaField], choices: [[Int]: Int],
    prefix: String, nestingDepth: Int, left: inout Int
  ) throws {
    // A struct that is flattened into itself ends here as well.
    guard path.count < nestingDepth, left >= structure.node.fields.count else {
      throw CodecError.Problem.inexpressible("\(structure.displayName), flattened too deep")
    }
    left -= structure.node.fields.count
    let shape = JSONShape(structure, as: field)
    if let discriminator = shape.discriminator {
      var members: [String: SchemaField] = [:]
      for member in shape.fields where member.field.discriminant != nil {
        members[member.name] = member.field
      }
      left -= prefix.utf8.count
      discriminators[prefix + discriminator] = Discriminator(path: path, members: members)
    }
    for member in shape.fields {
      var choices = choices
      if shape.discriminator != nil, member.field.discriminant != nil,
        member.flatten != nil || shape.valueName != nil
      {
        choices[path.map(\.index)] = member.field.index
      }
      if let flatten = member.flatten, let inner = structure.inner(member.field) {
        try add(
          inner, as: member.field, path: path + [member.field], choices: choices,
          prefix: prefix + flatten, nestingDepth: nestingDepth, left: &left)
      } else {
        let name = shape.valueName(of: member)
        left -= prefix.utf8.count + name.utf8.count
        guard left >= 0 else {
          throw CodecError.Problem.inexpressible("\(structure.displayName), flattened too far")
        }
        entries[prefix + name, default: []]
          .append(Entry(path: path, member: member, choices: choices))
      }
    }
  }

  /// What the name stands for, given the members of unions that were chosen, by path; nil where it
  /// stands for nothing.
  func entry(_ name: String, _ chosen: [[Int]: Int]) -> Entry? {
    entries[name]?.first { entry in entry.choices.allSatisfy { chosen[$0.key] == $0.value } }
  }
}

extension StructSchema {
  /// The struct or group that a field leads to; nil where it is another type.
  fileprivate func inner(_ field: SchemaField) -> StructSchema? {
    if let group = group(of: field) { return group }
    guard case .structure(let id, let brand) = type(of: field) else { return nil }
    return schema.structure(id, brand: brand)
  }
}

extension SchemaType {
  fileprivate var isNumber: Bool {
    switch self {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64:
      true
    default: false
    }
  }
}

extension DynamicValue.Builder {
  /// Sets the number that a literal says, or the float that JSON has no number for.
  func set(number literal: some Collection<UInt8>) throws {
    if let number = DecimalNumber(literal) { return try set(decimal: number) }
    let text = DecimalNumber.shortened(literal)
    guard type == .float32 || type == .float64 else {
      throw CodecError.Problem.invalidNumber(text)
    }
    switch text.lowercased() {
    case "nan": try set(float: .nan)
    case "inf", "+inf", "infinity", "+infinity": try set(float: .infinity)
    case "-inf", "-infinity": try set(float: -.infinity)
    default: throw CodecError.Problem.invalidNumber(text)
    }
  }
}
