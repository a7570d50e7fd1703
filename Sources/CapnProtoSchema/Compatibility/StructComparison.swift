/// A field with a place, and the groups and unions around it: what is known of it on the wire.
private struct PlacedField {
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
    let fields = placedFields(node, in: old)
    let newFields = placedFields(newNode, in: new)
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
    } else if field.slot.defaultValue != newField.slot.defaultValue {
      add(path, .defaultChanged, .wire)
    }
    // Void lies nowhere.
    if field.slot.type != .void, field.slot.offset != newField.slot.offset {
      add(path, .offsetChanged(from: field.slot.offset, to: newField.slot.offset), .wire)
    }
  }

  /// Whether the unions in the newer version are the old ones and new ones of which the field is
  /// the first member: older messages have zero where the discriminant is now.
  private func isNewUnion(
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

  private func placedFields(_ node: StructNode, in schema: Schema) -> [PlacedField] {
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

  /// What it means to change the one type to the other; nil where they are the same.
  func compareTypes(
    _ type: SchemaType, _ newType: SchemaType
  ) -> (kind: SchemaDifference.Kind, effect: SchemaDifference.Effect)? {
    let (from, to) = (name(type, in: old), name(newType, in: new))
    switch (type, newType) {
    case (.list(let element), .list(let newElement)):
      guard let change = compareTypes(element, newElement) else { return nil }
      if isUpgrade(element, to: newElement) { return (.listUpgraded(from: from, to: to), .source) }
      return change.effect == .wire ? (.typeChanged(from: from, to: to), .wire) : change
    case (.structure(let id, let brand), .structure(let newID, let newBrand)) where id == newID,
      (.interface(let id, let brand), .interface(let newID, let newBrand)) where id == newID:
      return compareBrands(brand, newBrand).map { effect in
        (.typeChanged(from: from, to: to), effect)
      }
    case (.parameter, .parameter), (.implicitParameter, .implicitParameter):
      return type == newType ? nil : (.typeChanged(from: from, to: to), .wire)
    default:
      if type == newType { return nil }
      if type.isPointer, isWider(newType, than: type) {
        return (.typeWidened(from: from, to: to), .source)
      }
      return (.typeChanged(from: from, to: to), .wire)
    }
  }

  /// What the change of bindings breaks; nil where none changes.
  private func compareBrands(
    _ brand: SchemaBrand, _ newBrand: SchemaBrand
  ) -> SchemaDifference.Effect? {
    var effect: SchemaDifference.Effect?
    for id in Set(brand.scopes.keys).union(newBrand.scopes.keys) {
      let types = bindings(brand.scopes[id])
      let newTypes = bindings(newBrand.scopes[id])
      for index in 0..<max(types.count, newTypes.count) {
        let type = index < types.count ? types[index] : .anyPointer(.any)
        let newType = index < newTypes.count ? newTypes[index] : .anyPointer(.any)
        // To bind a parameter that nobody bound only says more of the same pointer.
        if type == .anyPointer(.any), newType != type {
          effect = max(effect ?? .none, .source)
        } else if let change = compareTypes(type, newType) {
          effect = max(effect ?? .none, change.effect)
        }
      }
    }
    return effect
  }

  private func bindings(_ scope: SchemaBrand.Scope?) -> [SchemaType] {
    if case .bind(let types) = scope { types } else { [] }
  }

  /// Whether any value of the type is one of the wider type.
  private func isWider(_ wider: SchemaType, than type: SchemaType) -> Bool {
    switch (wider, type) {
    case (.anyPointer(.any), _), (.parameter, _), (.implicitParameter, _): true
    case (.anyPointer(.structure), .structure), (.anyPointer(.list), .list),
      (.anyPointer(.capability), .interface), (.data, .text):
      true
    case (.anyPointer(.list), .text), (.anyPointer(.list), .data): true
    default: false
    }
  }

  /// Whether lists of the type can be read as lists of a struct, whose first field is of the type.
  private func isUpgrade(_ type: SchemaType, to newType: SchemaType) -> Bool {
    guard case .structure(let id, _) = newType, type != .bool,
      let node = new.nodes[id]?.structure,
      let first = placedFields(node, in: new).first(where: { $0.number == 0 }),
      first.slot.offset == 0, first.members.isEmpty
    else { return false }
    if case .structure = type { return false }
    return compareTypes(type, first.slot.type) == nil
  }

  private func name(_ type: SchemaType, in schema: Schema) -> String {
    switch type {
    case .list(let element): "List(\(name(element, in: schema)))"
    case .enumeration(let id), .structure(let id, _), .interface(let id, _):
      schema.nodes[id]?.name ?? "\(type)"
    default: "\(type)"
    }
  }
}
