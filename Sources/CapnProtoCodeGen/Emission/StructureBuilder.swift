import CapnProtoSchema

extension FileEmitter {
  func emitBuilder(_ context: StructureContext, name: String) {
    out.line("/// Builds a ``\(name)``.")
    let clause = types.parameterClause(context.id)
    out.block("\(access.frozen)struct Builder\(clause): TypedStructBuilder, ~Escapable") {
      out.line("\(access.visible)typealias Reader = \(types.type(context.id, "Reader"))")
      emitHead(raw: "StructBuilder")
      for field in context.structure.fieldsInCodeOrder {
        switch field.kind {
        case .group(let id):
          out.line()
          out.documentation(request.documentation(of: field))
          emitDeprecation(field.annotations)
          emitGroup(field, id, context)
        case .slot(let slot):
          emitSlot(field, slot, context)
        }
      }
    }
  }

  private func emitSlot(
    _ field: SchemaField, _ slot: SchemaField.Slot, _ context: StructureContext
  ) {
    let select = context.select(field)
    if slot.type == .void {
      guard let select else { return }
      out.line()
      out.documentation(request.documentation(of: field), otherwise: "Sets `\(field.name)`.")
      emitDeprecation(field.annotations)
      out.line("\(access.call)func \(context.methodName("set", field))() { \(select) }")
      return
    }
    out.line()
    out.documentation(request.documentation(of: field))
    emitDeprecation(field.annotations)
    if slot.type.dataBits != nil {
      emitProperty(
        field, types.builder(slot.type),
        get: context.valueIfMember(field, Place.read(slot), otherwise: scalarDefault(slot)),
        select: select, set: Place.write(slot), isInPlace: true)
    } else {
      emitPointerField(PointerField(field, slot, context, self))
    }
  }

  /// The default of a number, Bool or enum.
  private func scalarDefault(_ slot: SchemaField.Slot) -> String {
    if case .enumeration = slot.type {
      "\(types.reader(slot.type))(rawValue: \(slot.defaultValue.literal))"
    } else {
      slot.defaultValue.literal
    }
  }

  /// A property that is read and set by value.
  func emitProperty(
    _ field: SchemaField, _ type: String, get: String, select: String?, set: String,
    isInPlace: Bool = false
  ) {
    let name = SwiftName.escaped(field.memberName)
    out.block("\(access.member(isInPlace: isInPlace))var \(name): \(type)") {
      out.block("get", get)
      out.function("nonmutating set", [select, set].compactMap { $0 })
    }
  }

  private func emitGroup(_ field: SchemaField, _ id: UInt64, _ context: StructureContext) {
    let type = types.type(id, "Builder")
    emitBuilderView(field, context, type, "\(type)(_raw: _raw)")
    var places = GroupPlaces()
    places.add(id, request, names)
    out.block(
      "@_lifetime(copy self) \(access.body)func \(context.methodName("init", field))() -> \(type)"
    ) {
      if let select = context.select(field) { out.line(select) }
      for statement in places.erasing { out.line(statement) }
      out.line("return \(type)(_raw: _raw)")
    }
  }
}

/// The places in a struct that a group occupies, members of unions and groups in it included.
struct GroupPlaces {
  private var data: Set<Place> = []
  private var pointers: Set<Int> = []

  private struct Place: Hashable {
    let bits: Int
    let index: Int
    var range: Range<Int> { index * bits..<(index + 1) * bits }
  }

  mutating func add(_ group: UInt64, _ request: SchemaRequest, _ names: TypeNames) {
    guard let structure = request.nodes[group]?.structure else { return }
    if let offset = structure.discriminantOffset { data.insert(Place(bits: 16, index: offset)) }
    for field in structure.fields {
      switch field.kind {
      case .group(let inner) where names.parents[inner] == group: add(inner, request, names)
      case .group: break
      case .slot(let slot):
        if let bits = slot.type.dataBits {
          if bits > 0 { data.insert(Place(bits: bits, index: slot.offset)) }
        } else {
          pointers.insert(slot.offset)
        }
      }
    }
  }

  /// Statements that zero all places; members of a union may share them.
  var erasing: [String] {
    var kept: [Place] = []
    for place in data.sorted(by: { ($1.bits, $0.index) < ($0.bits, $1.index) })
    where !kept.contains(where: { $0.range.overlaps(place.range) }) {
      kept.append(place)
    }
    kept.sort { $0.range.lowerBound < $1.range.lowerBound }
    return kept.map { place in
      place.bits == 1
        ? "_raw.writeBool(\(place.index), false)"
        : "_raw.write(\(place.index), 0 as UInt\(place.bits))"
    } + pointers.sorted().map { "_raw.pointer(\($0)).clear()" }
  }
}
