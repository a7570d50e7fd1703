import CapnProtoSchema

/// Decides which structs get a `Pipeline`: those through whose struct and group fields, at any
/// depth, a capability can be reached.
///
/// An AnyPointer may be a capability, but seldom is: it counts only in what is declared in an
/// interface, results among it. A type parameter counts there, and in modules that use the RPC
/// runtime anyhow; whether a field of a generic type leads on is then for what binds its parameters.
struct PipelineRule {
  private let request: SchemaRequest
  private let names: TypeNames
  /// Structs that stand for the parameters of a method, which are never waited for.
  private let parameters: Set<UInt64>
  /// The structs and groups through which a capability can be reached.
  private var reaching: [UInt64: Reach] = [:]

  /// How a capability is reached.
  private enum Reach: Int, Comparable {
    /// If a type parameter leads to one.
    case byParameter
    case always

    static func < (one: Reach, other: Reach) -> Bool { one.rawValue < other.rawValue }
  }

  init(_ request: SchemaRequest, _ names: TypeNames) {
    self.request = request
    self.names = names
    parameters = Set(
      request.nodes.values.flatMap { $0.interface?.methods ?? [] }.map(\.parameters)
        .filter { request.nodes[$0]?.scope == 0 })
    findReaching()
  }

  /// Whether the struct has a `Pipeline`.
  func hasPipeline(_ id: UInt64) -> Bool {
    reaching[id] != nil && !parameters.contains(id)
  }

  /// Whether the pipeline of the struct has a member for the field.
  func leads(_ field: SchemaField, of id: UInt64) -> Bool { reach(field, of: id) != nil }

  /// The node and all nodes declared in it.
  func nodes(under id: UInt64) -> [SchemaNode] {
    let own = request.nodes[id].map { [$0] } ?? []
    return own + (names.children[id] ?? []).flatMap { nodes(under: $0) }
  }

  /// Whether the node's Swift code needs the RPC runtime.
  func usesRPC(_ node: SchemaNode) -> Bool {
    switch node.kind {
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
    // By the struct that a field refers to, so that what a field leads to is looked at only when that
    // may have changed.
    var containers: [UInt64: [(id: UInt64, field: SchemaField)]] = [:]
    var pending: [(id: UInt64, field: SchemaField)] = []
    for node in request.nodes.values {
      for field in node.structure?.fields ?? [] {
        pending.append((node.id, field))
        switch field.kind {
        case .group(let id): containers[id, default: []].append((node.id, field))
        case .slot(let slot):
          if case .list = slot.type { continue }
          for id in Set(slot.type.nodeIDs) { containers[id, default: []].append((node.id, field)) }
        }
      }
    }
    while let (id, field) = pending.popLast() {
      guard let found = reach(field, of: id), reaching[id].map({ $0 < found }) ?? true else {
        continue
      }
      reaching[id] = found
      pending += containers[id] ?? []
    }
  }

  private func reach(_ field: SchemaField, of id: UInt64) -> Reach? {
    switch field.kind {
    case .group(let group): reaching[group]
    case .slot(let slot): reach(slot.type, of: id)
    }
  }

  /// How a capability is reached through a field of the type in the struct.
  private func reach(_ type: SchemaType, of id: UInt64) -> Reach? {
    switch type {
    case .interface, .anyPointer(.capability): .always
    case .anyPointer(.any), .anyPointer(.structure): isInInterface(id) ? .always : nil
    case .parameter, .implicitParameter:
      isInInterface(id) ? .always : request.modules.usesRPC(names.file(of: id)) ? .byParameter : nil
    case .structure(let inner, let brand):
      switch reaching[inner] {
      case .byParameter: brand.boundTypes.compactMap { reach($0, of: id) }.max()
      case let known: known
      }
    default: nil
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
