import CapnProto

// Structs of the type `Value` of `capnp/compat/json.capnp` say what JSON is to be written. Their
// fields are looked up by name, as a schema that has the type's id may be another.

extension JSONValue {
  /// The id of the type.
  static var typeID: UInt64 { 0xa3fa_7845_f919_dd83 }
}

extension JSONEncoding {
  /// The JSON that the struct says.
  mutating func value(said structure: DynamicStruct.Reader) throws -> JSONValue {
    try budget.enter()
    defer { budget.leave() }
    guard let member = structure.which else {
      throw CodecError(nil, .inexpressible(structure.schema.displayName))
    }
    try budget.take(bytes: 2)
    switch try structure.get(member) {
    case .void: return JSONValue(.null)
    case .bool(let value): return JSONValue(.bool(value))
    case .float64(let value) where value.isFinite:
      return JSONValue(.number(FloatText.text(value)))
    case .text(let text) where member.name == "string":
      try budget.take(bytes: text.count)
      return JSONValue(.string(text.array))
    case .list(let list) where member.name == "array":
      return JSONValue(.array(try elements(list)))
    case .list(let list) where member.name == "object":
      return JSONValue(.object(try members(list)))
    // A call, or a number that JSON has not.
    default:
      throw CodecError(nil, .inexpressible("\(structure.schema.displayName), '\(member.name)'"))
    }
  }

  private mutating func elements(_ list: DynamicList.Reader) throws -> [JSONValue] {
    var elements: [JSONValue] = []
    for index in list.indices {
      guard case .structure(let element) = try list.get(index) else { continue }
      elements.append(try value(said: element))
    }
    return elements
  }

  private mutating func members(
    _ list: DynamicList.Reader
  ) throws -> [(name: String, value: JSONValue)] {
    var members: [(name: String, value: JSONValue)] = []
    for index in list.indices {
      guard case .structure(let member) = try list.get(index),
        case .text(let name) = try member.get("name"),
        case .structure(let said) = try member.get("value")
      else { continue }
      try budget.take(bytes: name.count + 4)
      members.append((name.string, try value(said: said)))
    }
    return members
  }
}

extension JSONDecoding {
  /// Builds the struct that says the JSON.
  mutating func fill(_ builder: DynamicStruct.Builder, saying value: JSONValue) throws {
    switch value.kind {
    case .null: try builder.value("null").setVoid()
    case .bool(let value): try builder.value("boolean").set(bool: value)
    case .number(let literal): try builder.value("number").set(number: literal.utf8)
    case .string(let bytes):
      try budget.take(bytes: bytes.count)
      try builder.value("string").set(text: bytes)
    case .array(let elements):
      let place = try builder.value("array")
      try budget.take(elements: elements.count, of: place)
      let list = try place.initList(count: elements.count)
      for index in list.indices {
        try fill(try list.value(index).structure(), saying: elements[index])
      }
    case .object(let members):
      let place = try builder.value("object")
      try budget.take(elements: members.count, of: place)
      let list = try place.initList(count: members.count)
      for index in list.indices {
        let member = try list.value(index).structure()
        try budget.take(bytes: members[index].name.utf8.count)
        try member.value("name").set(text: members[index].name)
        let said = try member.value("value")
        try budget.take(structureAt: said)
        try fill(try said.initStructure(), saying: members[index].value)
      }
    }
  }
}
