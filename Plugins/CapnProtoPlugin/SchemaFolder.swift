import Foundation
import PackagePlugin

/// The schemas of a target.
struct SchemaFolder {
  /// The target's folder, with a slash at its end.
  let path: String
  let module: String
  let files: [URL]
  /// Whether the target depends on the RPC runtime.
  let usesRPC: Bool

  init(_ target: any Target, _ module: any SourceModuleTarget) {
    let path = target.directoryURL.plainPath
    self.path = path.hasSuffix("/") ? path : path + "/"
    self.module = module.moduleName
    usesRPC = target.recursiveTargetDependencies.contains {
      $0.sourceModule?.moduleName == "CapnProtoRPC"
    }
    files = module.sourceFiles(withSuffix: ".capnp").map(\.url)
  }

  /// The names of the generated files. They do not lie in folders: no two files of a Swift module
  /// may have the same name.
  func outputNames() throws -> [String] {
    var taken: [String: String] = [:]
    return try files.map { file in
      let name = file.plainPath.dropFirst(path.count)
      let output = String(name.replacing("/", with: "-") + ".swift")
      if let other = taken[output] {
        throw PluginError(description: "\(name) and \(other) would both become \(output)")
      }
      taken[output] = String(name)
      return output
    }
  }

  /// Which module holds the bindings of which file, as the generator reads it.
  static func moduleTable(own: SchemaFolder, _ imported: [SchemaFolder]) throws -> String {
    var table: [String] = []
    for (folder, module) in imported.map({ ($0, $0.module) }) + [(own, "")] {
      for file in folder.files {
        // A file without an id is the schema compiler's to complain about.
        guard let id = try fileID(file) else { continue }
        table.append("\(id)=\(module)\(folder.usesRPC ? "+rpc" : "")")
      }
    }
    return table.joined(separator: " ")
  }

  /// The id at the head of a schema: the first `@` outside of comments.
  private static func fileID(_ file: URL) throws -> String? {
    let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    for line in text.split(whereSeparator: \.isNewline) {
      let code = line.prefix { $0 != "#" }
      guard let start = code.firstIndex(of: "@") else { continue }
      let id = code[start...].dropFirst().prefix { $0.isHexDigit || $0 == "x" }
      return id.hasPrefix("0x") ? String(id) : nil
    }
    return nil
  }
}
