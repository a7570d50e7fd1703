public import CapnProto

/// Gathers the nodes of a schema, from wherever they come, and checks them.
///
/// Nodes come from a request of the schema compiler, or one by one from the wire. Nothing of them
/// is trusted: what `schema()` hands out can be read and built by without a trap.
public struct SchemaLoader: Sendable {
  private var nodes: [UInt64: SchemaNode] = [:]

  /// A loader without nodes.
  public init() {}

  /// Adds the nodes of a request of the schema compiler.
  ///
  /// - Throws: ``SchemaError`` that names the node and member; `DecodingError` if the request
  ///   itself is damaged.
  public mutating func add(_ request: CodeGeneratorRequest.Reader) throws {
    let nodes = try request.nodes
    for index in nodes.indices { try add(nodes[index]) }
  }

  /// Adds the nodes of a generated file, and of the files that it imports.
  ///
  /// - Throws: ``SchemaError``, `DecodingError` or `FramingError` if the generated code was changed.
  public mutating func add(_ file: SchemaFile) throws {
    var seen: Set<UInt64> = []
    var pending = [file]
    while let file = pending.popLast() {
      guard seen.insert(file.id).inserted else { continue }
      let message = try file.nodes()
      let nodes: ListReader<AnyPointerReader> = try message.root.list()
      for index in nodes.indices { try add(try nodes[index].structure(as: Node.Reader.self)) }
      pending += file.imports
    }
  }

  /// Adds a node. The same node may come again.
  ///
  /// - Throws: ``SchemaError`` if the node is damaged or contradicts itself, or if another one has
  ///   its id.
  public mutating func add(_ node: Node.Reader) throws(SchemaError) {
    let loaded: SchemaNode
    do {
      loaded = try SchemaNode(node)
    } catch {
      throw SchemaError(node, error)
    }
    if let other = nodes.updateValue(loaded, forKey: loaded.id), other != loaded {
      nodes[loaded.id] = other
      throw SchemaError(
        node: loaded.id, name: loaded.displayName, problem: .conflictingNode)
    }
  }

  /// The schema of all nodes, after its references are checked.
  ///
  /// What a node nests, and the declarations of annotations, need not be there; types, groups,
  /// superclasses and parameter structs must.
  ///
  /// - Throws: ``SchemaError`` for the first of the nodes, by id, that refers to something wrong.
  public func schema() throws(SchemaError) -> Schema {
    let references = SchemaReferences(nodes: nodes)
    for id in nodes.keys.sorted() {
      guard let node = nodes[id] else { continue }
      do {
        try references.check(node)
      } catch let error as MemberProblem {
        throw SchemaError(
          node: id, name: node.displayName, member: error.member, problem: error.problem)
      } catch let problem as SchemaError.Problem {
        throw SchemaError(node: id, name: node.displayName, problem: problem)
      } catch {
        throw SchemaError(node: id, name: node.displayName, problem: .cycle)
      }
    }
    try StructPlaces.check(nodes)
    return Schema(nodes: nodes)
  }
}

extension SchemaError {
  fileprivate init(_ node: Node.Reader, _ error: any Error) {
    let name = (try? node.displayName.string) ?? ""
    switch error {
    case let error as MemberProblem:
      self.init(node: node.id, name: name, member: error.member, problem: error.problem)
    case let problem as Problem: self.init(node: node.id, name: name, problem: problem)
    case let error as CapnProto.DecodingError:
      self.init(node: node.id, name: name, problem: .damaged(error))
    default: self.init(node: node.id, name: name, problem: .unknownKind(.max))
    }
  }
}
