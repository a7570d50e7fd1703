import CapnProtoSchema

/// Decides which structs get a plain Swift value: of those that shall have one, the ones whose
/// fields can all be stored as values.
struct ValueRule {
  private let request: SchemaRequest
  private let parents: [UInt64: UInt64]

  init(_ request: SchemaRequest, _ parents: [UInt64: UInt64]) {
    self.request = request
    self.parents = parents
  }

  /// Those of the structs and groups whose fields have values.
  func structs(among candidates: Set<UInt64>) -> Set<UInt64> {
    var kept = candidates
    while true {
      let next = kept.filter { id in
        request.nodes[id]?.structure?.fields.allSatisfy { obstacle($0, kept) == nil } == true
          // A group goes with its struct.
          && (request.nodes[id]?.structure?.isGroup != true
            || parents[id].map { kept.contains($0) } == true)
      }
      if next == kept { return kept }
      kept = next
    }
  }

  /// Why a field has no value, in words; nil if it has one.
  func obstacle(_ field: SchemaField, _ structs: Set<UInt64>) -> String? {
    switch field.kind {
    case .group(let id): return structs.contains(id) ? nil : "the group cannot have one"
    case .slot(let slot):
      switch slot.type.leaf {
      case .interface, .anyPointer(.capability): return "a capability is no plain value"
      case .anyPointer, .parameter, .implicitParameter:
        return "what it leads to is not known to the schema"
      case .structure(let id, _) where !structs.contains(id):
        return "\(request.nodes[id]?.name ?? "its type") has none"
      default: return nil
      }
    }
  }
}
