import Foundation

/// What a target may set in `capnproto-swift.json` in its folder; everything is optional.
struct Settings {
  static let fileName = "capnproto-swift.json"

  /// The schema compiler to run, as an absolute path.
  var compiler: String?
  /// Further folders in which absolute imports are looked up, relative to the target's folder.
  var imports: [String] = []
  /// Whether every struct that can have one gets a plain Swift value.
  var values = false
  /// Who may use the generated code.
  var access = Access.public
  /// The settings' file, where there is one.
  var files: [URL] = []

  private struct Content: Decodable {
    var compiler: String?
    var imports: [String]?
    var values: Bool?
    var access: Access?
  }

  /// Who may use the generated code: other modules too, or the target only, which is faster to
  /// compile.
  enum Access: String, Decodable {
    case `public`, `internal`
  }

  init(folder: URL) throws {
    let file = folder.appending(path: Self.fileName)
    guard FileManager.default.fileExists(atPath: file.plainPath) else { return }
    let content: Content
    do {
      content = try JSONDecoder().decode(Content.self, from: Data(contentsOf: file))
    } catch {
      throw PluginError(description: "\(file.plainPath): \(error)")
    }
    compiler = content.compiler
    imports = content.imports ?? []
    values = content.values ?? false
    access = content.access ?? .public
    files = [file]
  }

  /// The import folders as absolute paths.
  func importPaths(folder: URL) -> [String] {
    imports.map { URL(filePath: $0, relativeTo: folder).standardizedFileURL.plainPath }
  }

  /// The schemas in the import folders.
  func importedSchemas(folder: URL) -> [URL] {
    importPaths(folder: folder).map { URL(filePath: $0) }.flatMap { folder in
      (FileManager.default.enumerator(atPath: folder.plainPath)?.compactMap { $0 as? String } ?? [])
        .filter { $0.hasSuffix(".capnp") }.sorted().map { folder.appending(path: $0) }
    }
  }
}
