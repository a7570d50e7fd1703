import CapnProto
public import CapnProtoSchema

/// What the schema compiler hands over: the files to generate, and all declarations they need.
public struct SchemaRequest {
  /// The declarations, which the loader has checked.
  let nodes: [UInt64: SchemaNode]
  /// The nodes as the request has them.
  let encoded: [UInt64: Ref<Node.Reader>]
  private let comments: [UInt64: Comments]
  /// The files named on the command line.
  let files: [RequestedFile]
  let modules: SchemaModules
  /// Whether only the module that is generated may use the code.
  let isInternal: Bool

  /// The comments on a declaration and its members.
  private struct Comments {
    let own: String?
    let members: [String?]
  }

  struct RequestedFile {
    let id: UInt64
    /// As on the command line, less the source prefix.
    let name: String
    /// The ids of the files that it imports.
    let imports: [UInt64]
  }

  /// Reads the request.
  ///
  /// - Throws: `DecodingError` if it is damaged; `SchemaError` if what it declares is wrong, or
  ///   newer than this generator.
  public init(
    _ request: CodeGeneratorRequest.Reader, options: CodeGeneratorOptions = CodeGeneratorOptions()
  ) throws {
    var comments: [UInt64: Comments] = [:]
    try request.sourceInfo.forEach { info in
      comments[info.id] = Comments(
        own: info.hasDocComment ? try info.docComment.string : nil,
        members: try info.members.map { $0.hasDocComment ? try $0.docComment.string : nil })
    }
    self.comments = comments
    var loader = SchemaLoader()
    try loader.add(request)
    nodes = try loader.schema().nodes
    var encoded: [UInt64: Ref<Node.Reader>] = [:]
    try request.nodes.forEach { encoded[$0.id] = try $0.retained() }
    self.encoded = encoded
    isInternal = options.isInternal
    files = try request.requestedFiles.map {
      RequestedFile(
        id: $0.id, name: try $0.filename.string, imports: try $0.imports.map { $0.id })
    }
    modules = SchemaModules(options, nodes, requested: files.map(\.id))
  }

  /// The comment on a declaration.
  func documentation(of node: SchemaNode) -> String? { comments[node.id]?.own }

  /// The comment on a field.
  func documentation(of field: SchemaField) -> String? {
    documentation(ofMember: field.index, in: field.owner)
  }

  /// The comment on the field, enumerant or method of the number in the declaration.
  func documentation(ofMember number: Int, in node: UInt64) -> String? {
    guard let members = comments[node]?.members, number < members.count else { return nil }
    return members[number]
  }

  /// The file that a node is declared in; nil where the request does not say.
  func file(of id: UInt64) -> UInt64? {
    var id = id
    while let node = nodes[id] {
      if node.isFile { return id }
      if node.scope == 0 { return nil }
      id = node.scope
    }
    return id
  }
}
