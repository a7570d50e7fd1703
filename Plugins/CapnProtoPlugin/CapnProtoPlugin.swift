import Foundation
import PackagePlugin

/// Generates Swift for every `.capnp` file of a target.
///
/// The target gets one `capnp compile` command for all its schemas, as the names in one file depend on
/// those in the others. It runs again when one of them changes, or one that they may import. What
/// it generates as it was before is not written again, and not compiled again. Absolute imports resolve in the target's folder, in those of
/// the targets that it depends on, in the folders of the settings, and where the standard schemas
/// are.
@main struct CapnProtoPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) async throws -> [Command] {
    guard let module = target.sourceModule else { return [] }
    let schemas = SchemaFolder(target, module)
    if schemas.files.isEmpty {
      Diagnostics.warning("target '\(target.name)' uses CapnProtoPlugin and has no .capnp file")
      return []
    }
    let settings = try schemas.settings()
    guard let compiler = SchemaCompiler.find(settings) else {
      throw PluginError(description: SchemaCompiler.missing(settings))
    }
    let imported = schemas.dependencies.filter { !$0.files.isEmpty }
    // What a schema imports is not looked up: commands are not planned again when it changes.
    let further = settings.importedSchemas(folder: target.directoryURL)
    let generator = try context.tool(named: "capnpc-swift-gen").url
    let output = context.pluginWorkDirectoryURL
    let arguments =
      ["compile", "-o\(generator.plainPath):\(output.plainPath)", "--src-prefix=\(schemas.path)"]
      + schemas.importFolders(settings, compiler).map { "-I\($0)" }
    let environment = [
      "CAPNPC_SWIFT_SOURCES": schemas.path,
      "CAPNPC_SWIFT_MODULES": try SchemaFolder.moduleTable(imported, compiler),
      "CAPNPC_SWIFT_RPC": schemas.usesRPC ? "1" : "0",
      "CAPNPC_SWIFT_VALUES": settings.values ? "1" : "0",
      "CAPNPC_SWIFT_ACCESS": settings.access.rawValue,
      "CAPNPC_SWIFT_FLAT": "1",
    ]
    return [
      .buildCommand(
        displayName: "Generating Swift from the schemas of \(target.name)",
        // Builds run in another folder than PWD says, of which the compiler would warn.
        executable: URL(filePath: "/usr/bin/env"),
        arguments: ["-u", "PWD", compiler.plainPath] + arguments + schemas.files.map(\.plainPath),
        environment: environment,
        // The generator is no executable of the command, so the build has to be told to make it.
        inputFiles: schemas.files + [generator] + imported.flatMap(\.files) + settings.files
          + further,
        outputFiles: try schemas.outputNames().map { output.appending(path: $0) })
    ]
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
