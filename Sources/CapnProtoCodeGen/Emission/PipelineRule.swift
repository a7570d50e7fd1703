import CapnProtoSchema

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
  /// The structs and groups through which a capability can be reached.
  private var reaching: Set<UInt64> = []

  init(_ request: SchemaRequest, _ names: TypeNames) {
    self.request = request
    self.names = names
    parameters = Set(
      request.nodes.values.flatMap { $0.interface?.methods ?? [] }.map(\.parameters)
        .filter { request.nodes[$0]?.scopeID == 0 })
    findReaching()
  }

  /// Whether the struct has a `Pipeline`.
  func hasPipeline(_ id: UInt64) -> Bool {
    reaching.contains(id) && !parameters.contains(id)
  }

  /// Whether the pipeline of the struct has a member for the field.
  func leads(_ field: SchemaField, of id: UInt64) -> Bool {
    if let inner = inner(field) { return reaching.contains(inner) }
    guard case .slot(let slot) = field.kind else { return false }
    return switch slot.type {
    case .interface, .anyPointer(.capability): true
    case .anyPointer(.any), .anyPointer(.structure), .parameter, .implicitParameter:
      isInInterface(id)
    default: false
    }
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
          case .interface, .anyPointer(.capability): return true
          default: return false
          }
        }
    default: false
    }
  }

  /// Goes from the structs that have a capability to those that contain them.
  private mutating func findReaching() {
    var containers: [UInt64: [UInt64]] = [:]
    var pending: [UInt64] = []
    for node in request.nodes.values {
      for field in node.structure?.fields ?? [] {
        if let inner = inner(field) {
          containers[inner, default: []].append(node.id)
        } else if leads(field, of: node.id) {
          pending.append(node.id)
        }
      }
    }
    while let id = pending.popLast() {
      if reaching.insert(id).inserted { pending += containers[id] ?? [] }
    }
  }

  /// The struct or group that lies in a field.
  private func inner(_ field: SchemaField) -> UInt64? {
    switch field.kind {
    case .group(let id): return id
    case .slot(let slot):
      if case .structure(let id, _) = slot.type { return id }
      return nil
    case .unsupported: return nil
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
