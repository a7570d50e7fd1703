/// The places in a struct that its fields take: no two fields may share one, unless they are members
/// of one union, or lie in such.
///
/// Sharing is no danger to memory. But a value that is set through one field changes the other, and
/// whoever checks one of them has not checked what is read.
struct StructPlaces {
  /// Bits of the data section that are taken, by word.
  private var data: [Int: UInt64] = [:]
  private var pointers: Set<Int> = []

  /// Checks all structs. Their scopes and groups have been checked, so that groups inside one another
  /// end, and soon.
  static func check(_ nodes: [UInt64: SchemaNode]) throws(SchemaError) {
    for id in nodes.keys.sorted() {
      guard let node = nodes[id], let structure = node.structure, !structure.isGroup else {
        continue
      }
      do {
        _ = try places(of: structure, nodes)
      } catch {
        throw SchemaError(
          node: id, name: node.displayName, member: error.member, problem: error.problem)
      }
    }
  }

  private static func places(
    of structure: StructNode, _ nodes: [UInt64: SchemaNode]
  ) throws(MemberProblem) -> StructPlaces {
    var all = StructPlaces()
    if let offset = structure.discriminantOffset { all.take(offset, bits: 16) }
    var members = StructPlaces()
    for field in structure.fields {
      let own = try places(of: field, nodes)
      if field.discriminant != nil {
        guard !all.overlap(own) else { throw MemberProblem(member: field.name, .overlappingField) }
        members.add(own)
      } else {
        guard !all.overlap(own), !members.overlap(own) else {
          throw MemberProblem(member: field.name, .overlappingField)
        }
        all.add(own)
      }
    }
    all.add(members)
    return all
  }

  private static func places(
    of field: SchemaField, _ nodes: [UInt64: SchemaNode]
  ) throws(MemberProblem) -> StructPlaces {
    var places = StructPlaces()
    switch field.kind {
    case .slot(let slot):
      if let bits = slot.type.dataBits {
        if bits > 0 { places.take(slot.offset, bits: bits) }
      } else {
        places.pointers = [slot.offset]
      }
    case .group(let id):
      if let group = nodes[id]?.structure {
        places = try Self.places(of: group, nodes)
      }
    }
    return places
  }

  /// Takes the place at the offset, counted in its own size: it lies within one word.
  private mutating func take(_ offset: Int, bits: Int) {
    let start = offset * bits
    let mask: UInt64 = bits == 64 ? .max : ((1 << UInt64(bits)) - 1) << UInt64(start % 64)
    data[start / 64, default: 0] |= mask
  }

  private mutating func add(_ other: StructPlaces) {
    data.merge(other.data) { $0 | $1 }
    pointers.formUnion(other.pointers)
  }

  private func overlap(_ other: StructPlaces) -> Bool {
    !pointers.isDisjoint(with: other.pointers)
      || other.data.contains { word, mask in data[word, default: 0] & mask != 0 }
  }
}
