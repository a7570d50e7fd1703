/// Turns what the schema compiler hands to its plugins into Swift source.
public struct CodeGenerator {
  private let request: SchemaRequest
  private let names: TypeNames
  private let source: SourceFinder
  private let flattensFolders: Bool

  /// Finds a schema file by its name in the request: where it is, and its text.
  public typealias SourceFinder = (_ name: String) -> (path: String, text: String)?

  /// A file of Swift source.
  public struct GeneratedFile: Hashable, Sendable {
    /// The schema file's name and `.swift`, relative to the output folder.
    public let name: String
    /// The source text.
    public let text: String
  }

  /// A generator for one request.
  ///
  /// - Parameters:
  ///   - request: what the schema compiler wrote.
  ///   - options: what it was read with.
  ///   - source: finds the schema files, for the lines of refusals only.
  public init(
    _ request: SchemaRequest, options: CodeGeneratorOptions = CodeGeneratorOptions(),
    source: @escaping SourceFinder = { _ in nil }
  ) {
    self.request = request
    flattensFolders = options.flattensFolders
    names = TypeNames(request)
    self.source = source
  }

  /// What in the requested files cannot be generated, in the order of the source.
  public var refusals: [Refusal] {
    request.files.flatMap { file in
      var finder = Refusals(request, names, file)
      let found = finder.find()
      if found.isEmpty { return [Refusal]() }
      let source = source(file.name)
      let lines = source.map { DeclarationLines($0.text) }
      return found.map { declaration, reason in
        Refusal(
          file: source?.path ?? file.name, line: lines?.line(of: declaration),
          declaration: declaration.joined(separator: "."), reason: reason)
      }.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }
  }

  /// The source of every requested file.
  ///
  /// - Throws: the first ``Refusal`` if there is any.
  public func files() throws -> [GeneratedFile] {
    if let first = refusals.first { throw first }
    return try request.files.map { file in
      let name = flattensFolders ? String(file.name.map { $0 == "/" ? "-" : $0 }) : file.name
      return GeneratedFile(
        name: name + ".swift", text: try FileEmitter(request, names, file).source())
    }
  }
}
