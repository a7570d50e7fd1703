/// Decides which structs get a `Pipeline`: those through whose struct and group fields, at any
/// depth, a capability can be reached.
///
/// An AnyPointer, or a type parameter, may be a capability, but seldom is: it counts only in what is
/// declared in an interface, results among it.
struct PipelineRule {
  private let request: SchemaRequest
  private let names: TypeNames
  /// Structs that stand for the parameters of a method, which are never waited for.
  private let parameters: Set<UInt64>

  init(_ request: SchemaRequest, _ names: TypeNames) {
    self.request = request
    self.names = names
    parameters = Set(
      request.nodes.values.flatMap { $0.interface?.methods ?? [] }.map(\.parameters)
        .filter { request.nodes[$0]?.scopeID == 0 })
  }

  /// Whether the struct has a `Pipeline`.
  func hasPipeline(_ id: UInt64) -> Bool {
    if parameters.contains(id) { return false }
    var visited: Set<UInt64> = []
    return reaches(id, &visited)
  }

  /// Whether the pipeline of the struct has a member for the field.
  func leads(_ field: SchemaField, of id: UInt64) -> Bool {
    var visited: Set<UInt64> = []
    return leads(field, of: id, &visited)
  }

  /// The node and all nodes declared in it.
  func nodes(under id: UInt64) -> [SchemaNode] {
    let own = request.nodes[id].map { [$0] } ?? []
    return own + (names.children[id] ?? []).flatMap { nodes(under: $0) }
  }

  /// Whether the node's Swift code needs the RPC runtime.
  func usesRPC(_ node: SchemaNode) -> Bool {
    switch node.body {
    case .interface: true
    case .structure(let structure):
      hasPipeline(node.id)
        || structure.fields.contains { field in
          guard case .slot(let slot) = field.kind else { return false }
          switch slot.type.leaf {
          case .interface, .capability: return true
          default: return false
          }
        }
    default: false
    }
  }

  private func reaches(_ id: UInt64, _ visited: inout Set<UInt64>) -> Bool {
    guard visited.insert(id).inserted, let structure = request.nodes[id]?.structure else {
      return false
    }
    for field in structure.fields where leads(field, of: id, &visited) { return true }
    return false
  }

  private func leads(
    _ field: SchemaField, of id: UInt64, _ visited: inout Set<UInt64>
  ) -> Bool {
    switch field.kind {
    case .group(let group): reaches(group, &visited)
    case .slot(let slot):
      switch slot.type {
      case .interface, .capability: true
      case .structure(let other, _): reaches(other, &visited)
      case .anyPointer, .parameter, .implicitParameter: isInInterface(id)
      default: false
      }
    case .unknown: false
    }
  }

  private func isInInterface(_ id: UInt64) -> Bool {
    var id = id
    while let parent = names.parents[id] {
      if request.nodes[parent]?.interface != nil { return true }
      id = parent
    }
    return false
  }
}
