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
  private let target: any Target

  init(_ target: any Target, _ module: any SourceModuleTarget) {
    self.target = target
    let path = target.directoryURL.plainPath
    self.path = path.hasSuffix("/") ? path : path + "/"
    self.module = module.moduleName
    usesRPC = target.recursiveTargetDependencies.contains {
      $0.sourceModule?.moduleName == "CapnProtoRPC"
    }
    files = module.sourceFiles(withSuffix: ".capnp").map(\.url)
  }

  /// The schemas of the targets that this one depends on.
  var dependencies: [SchemaFolder] {
    target.recursiveTargetDependencies.compactMap { dependency in
      dependency.sourceModule.map { SchemaFolder(dependency, $0) }
    }
  }

  /// The folders in which absolute imports of the schemas are looked up.
  func importFolders(_ settings: Settings, _ compiler: URL) -> [String] {
    let dependencies = dependencies
    return [path] + dependencies.filter { !$0.files.isEmpty }.map(\.path)
      + settings.importPaths(folder: target.directoryURL)
      + SchemaCompiler.standardFolders(compiler, dependencies)
  }

  /// What the target may set.
  func settings() throws -> Settings { try Settings(folder: target.directoryURL) }

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
  static func moduleTable(_ folders: [SchemaFolder], _ compiler: URL) throws -> String {
    var modules: [String: String] = [:]
    for folder in folders {
      for id in try SchemaCompiler.fileIDs(of: folder, compiler) {
        if let other = modules[id] {
          throw PluginError(
            description: "schemas of '\(other)' and of '\(folder.module)' both have the id @\(id): "
              + "one of them needs an id of its own, which 'capnp id' makes")
        }
        modules[id] = folder.module + (folder.usesRPC ? "+rpc" : "")
      }
    }
    return modules.map { "\($0)=\($1)" }.sorted().joined(separator: " ")
  }
}
