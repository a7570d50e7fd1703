import Foundation
import PackagePlugin

/// Generates Swift for every `.capnp` file of a target.
///
/// The target gets one `capnp compile` command for each schema, which runs again when that schema
/// or another one of the target changes. Imports resolve in the target's folder, then where the
/// schema compiler looks by itself, as for `/capnp/c++.capnp`.
@main struct CapnProtoPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) async throws -> [Command] {
    guard let module = target.sourceModule else { return [] }
    let schemas = module.sourceFiles(withSuffix: ".capnp").map(\.url)
    if schemas.isEmpty {
      Diagnostics.warning("target '\(target.name)' uses CapnProtoPlugin and has no .capnp file")
      return []
    }
    let folder = target.directoryURL
    let root = folder.plainPath.hasSuffix("/") ? folder.plainPath : folder.plainPath + "/"
    let settings = try Settings(folder: folder)
    guard let compiler = SchemaCompiler.find(settings) else {
      throw PluginError(description: SchemaCompiler.missing(settings))
    }
    let generator = try context.tool(named: "capnpc-swift-gen").url
    let output = context.pluginWorkDirectoryURL
    let options =
      ["compile", "-o\(generator.plainPath):\(output.plainPath)", "--src-prefix=\(root)"]
      + ([root] + settings.importPaths(folder: folder)).map { "-I\($0)" }
    return schemas.map { schema in
      let name = schema.plainPath.dropFirst(root.count)
      return .buildCommand(
        displayName: "Generating \(name).swift",
        // Builds run in another folder than PWD says, of which the compiler would warn.
        executable: URL(filePath: "/usr/bin/env"),
        arguments: ["-u", "PWD", compiler.plainPath] + options + [schema.plainPath],
        environment: ["CAPNPC_SWIFT_SOURCES": root],
        // The generator is no executable of the command, so the build has to be told to make it.
        inputFiles: [schema, generator] + schemas.filter { $0 != schema } + settings.files,
        outputFiles: [output.appending(path: "\(name).swift")])
    }
  }
}

extension URL {
  /// The path as the file system has it.
  var plainPath: String { path(percentEncoded: false) }
}

/// A reason why no command can be made.
struct PluginError: Error, CustomStringConvertible {
  let description: String
}
