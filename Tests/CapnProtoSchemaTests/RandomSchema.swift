import CapnProto
import CapnProtoSchema

/// Sources of schemas that a seed decides: every kind of field, in structs that refer to one another.
struct RandomSchema {
  private var random: SplitMix
  private var ordinal = 0
  private let structs: Int

  /// The source, whose structs are `S0`, `S1` and so on.
  static func source(seed: UInt64) -> String {
    var random = SplitMix(seed: seed)
    var schema = RandomSchema(random: random, structs: 1 + random.next(below: 3))
    return schema.source()
  }

  private init(random: SplitMix, structs: Int) {
    self.random = random
    self.structs = structs
  }

  private mutating func source() -> String {
    var lines = ["@0x\(String(random.next() | 1 << 63, radix: 16));"]
    lines.append("enum E { \((0...3).map { "e\($0) @\($0);" }.joined(separator: " ")) }")
    lines.append("struct Box(T) { value @0 :T; weight @1 :UInt32; }")
    for index in 0..<structs {
      ordinal = 0
      lines.append("struct S\(index) { \(members(depth: 2, isUnion: false)) }")
    }
    return lines.joined(separator: "\n")
  }

  private mutating func members(depth: Int, isUnion: Bool) -> String {
    let count = (isUnion ? 2 : 1) + random.next(below: 5)
    // A union whose first member is a struct of its own type has no end in JSON.
    var members = (0..<count).map { index in
      isUnion && index == 0 ? field(depth: 0) : member(depth: depth)
    }
    if !isUnion, random.next(below: 3) == 0 {
      members.append("union { \(self.members(depth: depth - 1, isUnion: true)) }")
    }
    return members.joined(separator: " ")
  }

  private mutating func member(depth: Int) -> String {
    switch random.next(below: depth > 0 ? 12 : 10) {
    case 10: "g\(ordinal) :group { \(members(depth: depth - 1, isUnion: false)) }"
    case 11: "u\(ordinal) :union { \(members(depth: depth - 1, isUnion: true)) }"
    default: field(depth: 2)
    }
  }

  private mutating func field(depth: Int) -> String {
    defer { ordinal += 1 }
    let type = type(depth: depth)
    let value = random.next(below: 3) == 0 ? Self.defaults[type].map { " = \($0)" } ?? "" : ""
    return "f\(ordinal) @\(ordinal) :\(type)\(value);"
  }

  private static let scalars = [
    "Void", "Bool", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64",
    "Float32", "Float64", "Text", "Data", "E",
  ]

  private static let defaults = [
    "Bool": "true", "Int8": "-128", "Int16": "-2", "Int32": "123456", "Int64": "-9", "UInt8": "255",
    "UInt16": "9", "UInt32": "4000000000", "UInt64": "18446744073709551615", "Float32": "0.5",
    "Float64": "-2.5e100", "Text": "\"default\"", "Data": "0x\"01 02\"", "E": "e2",
    "List(Int8)": "[1, -2]",
  ]

  private mutating func type(depth: Int) -> String {
    switch random.next(below: depth > 0 ? 24 : 15) {
    case 15: "S\(random.next(below: structs))"
    case 16: "Box(\(["Text", "Data", "S0", "List(Int16)"][random.next(below: 4)]))"
    case 17...23: "List(\(type(depth: depth - 1)))"
    case let index: Self.scalars[index]
    }
  }
}

/// Values that a seed decides.
struct RandomValue {
  private var random: SplitMix

  init(seed: UInt64) { random = SplitMix(seed: seed) }

  /// Sets about half of the fields.
  mutating func fill(_ builder: DynamicStruct.Builder, depth: Int) throws {
    let node = builder.schema.node
    for index in node.fieldsOutsideUnion where random.next(below: 3) > 0 {
      try set(try builder.value(node.fields[index]), depth: depth)
    }
    if !node.unionMembers.isEmpty {
      let index = node.unionMembers[random.next(below: node.unionMembers.count)]
      try set(try builder.value(node.fields[index]), depth: depth)
    }
  }

  private mutating func set(_ place: DynamicValue.Builder, depth: Int) throws {
    switch place.type {
    case .void: try place.setVoid()
    case .bool: try place.set(bool: random.next(below: 2) == 0)
    case .int8: try place.set(integer: Int8(truncatingIfNeeded: integer()))
    case .int16: try place.set(integer: Int16(truncatingIfNeeded: integer()))
    case .int32: try place.set(integer: Int32(truncatingIfNeeded: integer()))
    case .int64: try place.set(integer: Int64(truncatingIfNeeded: integer()))
    case .uint8: try place.set(integer: UInt8(truncatingIfNeeded: integer()))
    case .uint16: try place.set(integer: UInt16(truncatingIfNeeded: integer()))
    case .uint32: try place.set(integer: UInt32(truncatingIfNeeded: integer()))
    case .uint64: try place.set(integer: integer())
    case .float32: try place.set(float: Double(float32()))
    case .float64: try place.set(float: float64())
    case .enumeration: try place.set(enumerant: UInt16(random.next(below: 4)))
    case .text: try place.set(text: text())
    case .data:
      let bytes = (0..<random.next(below: 20)).map { _ in UInt8(random.next(below: 256)) }
      // The tool finds the end of a text by its parentheses, those in strings among them.
      try place.set(data: bytes.filter { $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: ")") })
    case .list:
      let list = try place.initList(count: depth > 0 ? random.next(below: 5) : 0)
      for index in list.indices { try set(list.value(index), depth: depth - 1) }
    case .structure:
      // A null pointer in a list has a text of its own, but no other form of writing it.
      let builder = try place.initStructure()
      if depth > 0 { try fill(builder, depth: depth - 1) }
    default: place.clear()
    }
  }

  /// Numbers of every length.
  private mutating func integer() -> UInt64 {
    let number = random.next() >> UInt64(random.next(below: 64))
    return random.next(below: 2) == 0 ? number : 0 &- number
  }

  // No negative zero: C++ reads its own print of it as zero.

  private mutating func float32() -> Float {
    switch random.next(below: 4) {
    case 0: return Float(random.next(below: 2000)) / 8
    case 1: return .infinity
    default:
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      return value.isNaN || value == 0 ? 1 : value
    }
  }

  private mutating func float64() -> Double {
    switch random.next(below: 6) {
    case 0: return Double(random.next(below: 100_000)) / 16
    case 1: return .nan
    case 2: return Double(integer())
    case 3: return Double(bitPattern: 1 + random.next() >> 12)
    default:
      let value = Double(bitPattern: random.next())
      return value.isNaN || value == 0 ? 1 : value
    }
  }

  private mutating func text() -> String {
    let characters = Array("abc XYZ 019 \"\\'/?\n\t äß€😀\u{7f}")
    return String(
      (0..<random.next(below: 30)).map { _ in
        characters[random.next(below: characters.count)]
      })
  }
}
