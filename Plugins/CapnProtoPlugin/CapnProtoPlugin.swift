import Foundation
import PackagePlugin

/// Generates Swift for every `.capnp` file of a target.
///
/// The target gets one `capnp compile` command for each schema, which runs again when that schema
/// or one that it may import changes. Absolute imports resolve in the target's folder, in those of
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
    let settings = try Settings(folder: target.directoryURL)
    guard let compiler = SchemaCompiler.find(settings) else {
      throw PluginError(description: SchemaCompiler.missing(settings))
    }
    let dependencies = target.recursiveTargetDependencies.compactMap { dependency in
      dependency.sourceModule.map { SchemaFolder(dependency, $0) }
    }
    let imported = dependencies.filter { !$0.files.isEmpty }
    let folders =
      [schemas.path] + imported.map(\.path) + settings.importPaths(folder: target.directoryURL)
      + SchemaCompiler.standardFolders(compiler, dependencies)
    // What a schema imports is not looked up: commands are not planned again when it changes.
    let further = settings.importedSchemas(folder: target.directoryURL)
    let generator = try context.tool(named: "capnpc-swift-gen").url
    let output = context.pluginWorkDirectoryURL
    let arguments =
      ["compile", "-o\(generator.plainPath):\(output.plainPath)", "--src-prefix=\(schemas.path)"]
      + folders.map { "-I\($0)" }
    let environment = [
      "CAPNPC_SWIFT_SOURCES": schemas.path,
      "CAPNPC_SWIFT_MODULES": try SchemaFolder.moduleTable(own: schemas, imported),
      "CAPNPC_SWIFT_VALUES": settings.values ? "1" : "0",
      "CAPNPC_SWIFT_ACCESS": settings.access.rawValue,
      "CAPNPC_SWIFT_FLAT": "1",
    ]
    let outputs = try schemas.outputNames()
    return zip(schemas.files, outputs).map { schema, name in
      .buildCommand(
        displayName: "Generating \(name)",
        // Builds run in another folder than PWD says, of which the compiler would warn.
        executable: URL(filePath: "/usr/bin/env"),
        arguments: ["-u", "PWD", compiler.plainPath] + arguments + [schema.plainPath],
        environment: environment,
        // The generator is no executable of the command, so the build has to be told to make it.
        inputFiles: [schema, generator] + schemas.files.filter { $0 != schema }
          + imported.flatMap(\.files) + settings.files + further,
        outputFiles: [output.appending(path: name)])
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
