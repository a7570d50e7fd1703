/// A field with a place, and the groups and unions around it: what is known of it on the wire.
struct PlacedField {
  let path: String
  let name: String
  let number: Int
  let slot: SchemaField.Slot
  /// The names of the groups around it.
  let groups: [String]
  /// The members of unions that have to be set for the field to be, from the outside in.
  let members: [Member]

  struct Member: Hashable {
    let discriminantOffset: Int
    let value: UInt16
  }
}

extension SchemaComparison {
  /// Fields are known by their numbers, which count over a struct and its groups.
  mutating func compare(_ node: StructNode, _ newNode: StructNode, _ path: String) {
    let fields = Self.placedFields(node, in: old)
    let newFields = Self.placedFields(newNode, in: new)
    let byNumber = Dictionary(newFields.map { ($0.number, $0) }) { first, _ in first }
    let byPath = Dictionary(newFields.map { ($0.path, $0) }) { first, _ in first }
    for field in fields {
      let fieldPath = "\(path).\(field.path)"
      guard let newField = byNumber[field.number] else {
        if let moved = byPath[field.path] {
          add(fieldPath, .renumbered(from: field.number, to: moved.number), .wire)
        } else {
          add(fieldPath, .removed, .wire)
        }
        continue
      }
      // The number now belongs to another field, and the name to another number.
      if newField.name != field.name, let moved = byPath[field.path] {
        add(fieldPath, .renumbered(from: field.number, to: moved.number), .wire)
        continue
      }
      compare(field, newField, fieldPath)
    }
    let numbers = Set(fields.map(\.number))
    let paths = Set(fields.map(\.path))
    for field in newFields where !numbers.contains(field.number) && !paths.contains(field.path) {
      add("\(path).\(field.path)", .added, .none)
    }
  }

  private mutating func compare(_ field: PlacedField, _ newField: PlacedField, _ path: String) {
    if field.name != newField.name { add(path, .renamed(to: newField.name), .source) }
    let isSameUnion = field.members == newField.members
    if isSameUnion {
      if field.groups != newField.groups { add(path, .movedToGroup, .source) }
    } else if field.members.map(\.value) == newField.members.map(\.value) {
      add(path, .discriminantMoved, .wire)
    } else if isNewUnion(field.members, newField.members) {
      add(path, .movedToUnion, .source)
    } else {
      add(path, .unionChanged, .wire)
    }
    if let change = compareTypes(field.slot.type, newField.slot.type) {
      add(path, change.kind, change.effect)
      if change.effect == .wire { return }
    }
    if !field.slot.defaultValue.isRead(
      of: newField.slot.defaultValue, as: field.slot.type, in: old)
    {
      add(path, .defaultChanged, .wire)
    }
    // Void lies nowhere.
    if field.slot.type != .void, field.slot.offset != newField.slot.offset {
      add(path, .offsetChanged(from: field.slot.offset, to: newField.slot.offset), .wire)
    }
  }

  /// Whether the unions in the newer version are the old ones and new ones of which the field is
  /// the first member: older messages have zero where the discriminant is now.
  func isNewUnion(
    _ members: [PlacedField.Member], _ newMembers: [PlacedField.Member]
  ) -> Bool {
    var rest = newMembers[...]
    for member in members {
      guard let index = rest.firstIndex(of: member) else { return false }
      guard rest[..<index].allSatisfy({ $0.value == 0 }) else { return false }
      rest = rest[(index + 1)...]
    }
    return rest.allSatisfy { $0.value == 0 }
  }

  static func placedFields(_ node: StructNode, in schema: Schema) -> [PlacedField] {
    var fields: [PlacedField] = []
    var next = 0
    func place(_ node: StructNode, _ groups: [String], _ members: [PlacedField.Member]) {
      for field in node.fields {
        var inner = members
        if let value = field.discriminant, let offset = node.discriminantOffset {
          inner.append(PlacedField.Member(discriminantOffset: offset, value: value))
        }
        switch field.kind {
        case .group(let id):
          if let group = schema.nodes[id]?.structure {
            place(group, groups + [field.name], inner)
          }
        case .slot(let slot):
          // The parameters of methods are numbered by their places.
          fields.append(
            PlacedField(
              path: (groups + [field.name]).joined(separator: "."), name: field.name,
              number: field.ordinal.map { Int($0) } ?? next, slot: slot, groups: groups,
              members: inner))
          next += 1
        }
      }
    }
    place(node, [], [])
    return fields
  }
}
