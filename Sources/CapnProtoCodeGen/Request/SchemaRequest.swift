import CapnProto
public import CapnProtoSchema

/// What the schema compiler hands over: the files to generate, and all declarations they need.
public struct SchemaRequest {
  let nodes: [UInt64: SchemaNode]
  /// The files named on the command line.
  let files: [RequestedFile]
  let modules: SchemaModules
  /// Whether only the module that is generated may use the code.
  let isInternal: Bool

  struct RequestedFile {
    let id: UInt64
    /// As on the command line, less the source prefix.
    let name: String
    /// The ids of the files that it imports.
    let imports: [UInt64]
  }

  /// Reads the request.
  ///
  /// - Throws: `DecodingError` if it is damaged.
  public init(
    _ request: CodeGeneratorRequest.Reader, options: CodeGeneratorOptions = CodeGeneratorOptions()
  ) throws {
    var documentation: [UInt64: (own: String?, members: [String?])] = [:]
    try request.sourceInfo.forEach { info in
      let own = info.hasDocComment ? try info.docComment.string : nil
      let members = try info.members.map { $0.hasDocComment ? try $0.docComment.string : nil }
      documentation[info.id] = (own, members)
    }
    var nodes: [UInt64: SchemaNode] = [:]
    try request.nodes.forEach { node in
      let comments = documentation[node.id]
      nodes[node.id] = try SchemaNode(
        node, documentation: comments?.own, members: comments?.members ?? [])
    }
    self.nodes = nodes
    modules = SchemaModules(options, nodes)
    isInternal = options.isInternal
    files = try request.requestedFiles.map {
      RequestedFile(
        id: $0.id, name: try $0.filename.string, imports: try $0.imports.map { $0.id })
    }
  }

  /// The file that a node is declared in; nil where the request does not say.
  func file(of id: UInt64) -> UInt64? {
    var id = id
    // In a damaged request a node may be its own scope.
    for _ in 0...nodes.count {
      guard let node = nodes[id] else { return id }
      if node.isFile { return id }
      if node.scopeID == 0 { return nil }
      id = node.scopeID
    }
    return nil
  }
}
