/// How the type of a field, element or binding was changed.
enum TypeChange {
  /// Messages of the one type cannot be read as the other.
  case incompatible
  /// Any value of the old type is one of the new type.
  case widened
  /// The elements of a list are structs that begin with what the elements were.
  case listUpgraded
  /// The new type says more of the same pointer, or binds type parameters.
  case specified

  var effect: SchemaDifference.Effect { self == .incompatible ? .wire : .source }
}

extension SchemaComparison {
  /// What it means to change the one type to the other; nil where they are the same.
  func compareTypes(
    _ type: SchemaType, _ newType: SchemaType
  ) -> (kind: SchemaDifference.Kind, effect: SchemaDifference.Effect)? {
    guard let change = change(of: type, to: newType) else { return nil }
    let (from, to) = names(type, newType)
    let kind: SchemaDifference.Kind =
      switch change {
      case .incompatible, .specified: .typeChanged(from: from, to: to)
      case .widened: .typeWidened(from: from, to: to)
      case .listUpgraded: .listUpgraded(from: from, to: to)
      }
    return (kind, change.effect)
  }

  /// The names of the types, with no more than tells them apart.
  func names(_ type: SchemaType, _ newType: SchemaType) -> (String, String) {
    for detail in Schema.NameDetail.allCases {
      let names = (old.name(of: type, detail), new.name(of: newType, detail))
      if names.0 != names.1 || detail == Schema.NameDetail.allCases.last { return names }
    }
    return ("\(type)", "\(newType)")
  }

  /// How the one type is changed to the other; nil where they are the same.
  func change(of type: SchemaType, to newType: SchemaType) -> TypeChange? {
    switch (type, newType) {
    case (.list(let element), .list(let newElement)):
      if isUpgrade(element, to: newElement) { return .listUpgraded }
      return change(of: element, to: newElement)
    case (.structure(let id, let brand), .structure(let newID, let newBrand)) where id == newID,
      (.interface(let id, let brand), .interface(let newID, let newBrand)) where id == newID:
      return change(of: brand, to: newBrand)
    case (.parameter, .parameter), (.implicitParameter, .implicitParameter):
      return type == newType ? nil : .incompatible
    case (.anyPointer(.any), .anyPointer(let kind)): return kind == .any ? nil : .specified
    default:
      if type == newType { return nil }
      return type.isPointer && isWider(newType, than: type) ? .widened : .incompatible
    }
  }

  /// How the bindings are changed; nil where none is.
  func change(of brand: SchemaBrand, to newBrand: SchemaBrand) -> TypeChange? {
    var worst: TypeChange?
    func add(_ change: TypeChange?) {
      guard let change, worst != .incompatible else { return }
      worst = change == .incompatible ? .incompatible : .specified
    }
    for id in Set(brand.scopes.keys).union(newBrand.scopes.keys) {
      let types = bindings(brand.scopes[id], of: id, in: old)
      let newTypes = bindings(newBrand.scopes[id], of: id, in: new)
      for index in 0..<max(types.count, newTypes.count) {
        let type = index < types.count ? types[index] : .anyPointer(.any)
        let newType = index < newTypes.count ? newTypes[index] : .anyPointer(.any)
        let parameter = SchemaType.parameter(
          scope: id, index: UInt16(truncatingIfNeeded: index))
        if let replaced = newParameters[parameter] {
          // Who uses the type has to bind the parameter to what it replaced in the type.
          if newType != .anyPointer(.any), newType != parameter { add(.specified) }
          for type in replaced where change(of: type, to: newType) == .incompatible {
            add(.incompatible)
          }
        } else if type == .anyPointer(.any), newType != type {
          // To bind a parameter that was not bound only says more of the same pointer.
          add(.specified)
        } else {
          add(change(of: type, to: newType))
        }
      }
    }
    return worst
  }

  private func bindings(
    _ scope: SchemaBrand.Scope?, of id: UInt64, in schema: Schema
  ) -> [SchemaType] {
    switch scope {
    case .bind(let types): types
    // Inside the generic type itself.
    case .inherit:
      (schema.nodes[id]?.parameters ?? []).indices.map {
        .parameter(scope: id, index: UInt16(truncatingIfNeeded: $0))
      }
    case nil: []
    }
  }

  /// Whether any value of the type is one of the wider type.
  private func isWider(_ wider: SchemaType, than type: SchemaType) -> Bool {
    switch (wider, type) {
    case (.anyPointer(.any), _), (.parameter, _), (.implicitParameter, _): true
    case (.anyPointer(.structure), .structure), (.anyPointer(.list), .list),
      (.anyPointer(.capability), .interface):
      true
    case (.anyPointer(.list), .text), (.anyPointer(.list), .data): true
    // Data is encoded as a list of bytes, of which text is one.
    case (.data, .text), (.data, .list(.uint8)), (.data, .list(.int8)): true
    default: false
    }
  }

  /// Whether lists of the type can be read as lists of a struct, whose first field is of the type.
  private func isUpgrade(_ type: SchemaType, to newType: SchemaType) -> Bool {
    guard case .structure(let id, let brand) = newType, type != .bool,
      let node = new.nodes[id]?.structure,
      let first = Self.placedFields(node, in: new).first(where: { $0.number == 0 }),
      first.slot.offset == 0, isNewUnion([], first.members),
      // The old elements have no default.
      first.slot.defaultValue.bits == 0, first.slot.defaultValue.target == nil
    else { return false }
    if case .structure = type { return false }
    let fieldType = first.slot.type.isPointer ? brand.resolve(first.slot.type) : first.slot.type
    return change(of: type, to: fieldType) != .incompatible
  }

  /// What the parameters that the newer version adds stand for: the types that they replace in the
  /// bodies of the old version.
  static func newParameters(old: Schema, new: Schema) -> [SchemaType: Set<SchemaType>] {
    var added: [SchemaType: Set<SchemaType>] = [:]
    for (id, node) in new.nodes {
      let known = old.nodes[id]?.parameters.count ?? node.parameters.count
      for index in node.parameters.indices.dropFirst(known) {
        added[.parameter(scope: id, index: UInt16(truncatingIfNeeded: index))] = []
      }
    }
    guard !added.isEmpty else { return [:] }
    func match(_ type: SchemaType, _ newType: SchemaType) {
      if case .list(let element) = type, case .list(let newElement) = newType {
        match(element, newElement)
      } else if type != newType {
        added[newType]?.insert(type)
      }
    }
    for (id, node) in old.nodes {
      guard let structure = node.structure, !structure.isGroup,
        let newStructure = new.nodes[id]?.structure
      else { continue }
      let fields = Dictionary(placedFields(newStructure, in: new).map { ($0.number, $0.slot.type) })
      { first, _ in first }
      for field in placedFields(structure, in: old) {
        if let newType = fields[field.number] { match(field.slot.type, newType) }
      }
    }
    return added
  }
}
