import CapnProto

// Literals become values: only here are their types known.
extension TextSource {
  /// Builds the struct from a literal.
  ///
  /// - Throws: ``CodecError``.
  func build(_ located: TextLiteral.Located, into builder: DynamicStruct.Builder) throws {
    var budget = WordBudget(limit: limits.words)
    try placing(located.offset) { try fill(builder, with: located, &budget) }
  }

  private func fill(
    _ builder: DynamicStruct.Builder, with located: TextLiteral.Located, _ budget: inout WordBudget
  ) throws {
    guard case .tuple(let fields) = located.literal else {
      throw CodecError.Problem.unexpected(expected: "a struct in parentheses")
    }
    for field in fields {
      try placing(field.value.offset) {
        guard let name = field.name else {
          throw CodecError.Problem.unexpected(expected: "the name of a field")
        }
        guard let known = builder.schema.field(name) else {
          throw CodecError.Problem.unknownName(name, in: builder.schema.displayName)
        }
        try set(try builder.value(known), to: field.value, &budget)
      }
    }
  }

  private func set(
    _ place: DynamicValue.Builder, to located: TextLiteral.Located, _ budget: inout WordBudget
  ) throws {
    switch located.literal {
    case .integer(let magnitude, let isNegative):
      try place.set(magnitude: magnitude, isNegative: isNegative)
    case .decimal(let number):
      // The language takes no float for an integer, not even a whole one.
      guard place.type == .float32 || place.type == .float64 else {
        throw DynamicError.typeMismatch(
          expected: place.schema.name(of: place.type), found: "a float")
      }
      try place.set(decimal: number)
    case .negativeInfinity: try place.set(float: -.infinity)
    case .string(let bytes):
      try budget.take(bytes: bytes.count)
      if place.type == .data { try place.set(data: bytes) } else { try place.set(text: bytes) }
    case .data(let bytes):
      try budget.take(bytes: bytes.count)
      try place.set(data: bytes)
    case .name(let name): try place.set(name: name)
    case .list(let elements):
      try budget.take(elements: elements.count, of: place)
      let list = try place.initList(count: elements.count)
      for index in list.indices {
        try placing(elements[index].offset) {
          try set(list.value(index), to: elements[index], &budget)
        }
      }
    case .tuple(let fields):
      // An enumerant that the schema does not know is printed as its number in parentheses.
      if case .enumeration = place.type, fields.count == 1, fields[0].name == nil,
        case .integer(let number, false) = fields[0].value.literal, number <= 0xffff
      {
        return try place.set(enumerant: UInt16(number))
      }
      try budget.take(structureAt: place)
      try fill(try place.initStructure(), with: located, &budget)
    }
  }

  /// Puts the place in the text to what is wrong there.
  private func placing(_ offset: Int, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let problem as CodecError.Problem {
      throw error(at: offset, problem)
    } catch let problem as DynamicError {
      throw error(at: offset, .value(problem))
    }
  }
}

extension DynamicValue.Builder {
  /// Sets an integer that has its sign apart, as literals do.
  func set(magnitude: UInt64, isNegative: Bool) throws(DynamicError) {
    switch type {
    case .float32: try set(float32: isNegative ? -Float(magnitude) : Float(magnitude))
    case .float64: try set(float: isNegative ? -Double(magnitude) : Double(magnitude))
    default:
      guard isNegative else { return try set(integer: magnitude) }
      guard magnitude <= UInt64(Int64.max) + 1 else {
        throw .outOfRange("-\(magnitude)", type: "\(type)")
      }
      try set(integer: Int64(truncatingIfNeeded: 0 &- magnitude))
    }
  }

  /// Sets what a name stands for: a value of the language, or an enumerant.
  func set(name: String) throws(DynamicError) {
    switch (type, name) {
    case (.void, "void"): try setVoid()
    case (.bool, "true"): try set(bool: true)
    case (.bool, "false"): try set(bool: false)
    case (.float32, "inf"), (.float64, "inf"): try set(float: .infinity)
    case (.float32, "nan"), (.float64, "nan"): try set(float: .nan)
    case (.enumeration, _): try set(enumerant: name)
    default: throw .typeMismatch(expected: schema.name(of: type), found: "'\(name)'")
    }
  }
}
