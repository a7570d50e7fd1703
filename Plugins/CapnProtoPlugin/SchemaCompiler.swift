import Foundation

/// Finds `capnp`, the schema compiler.
enum SchemaCompiler {
  /// The compiler that the target's settings name, or the environment's `CAPNP`, or the first one
  /// on `PATH`.
  static func find(_ settings: Settings) -> URL? {
    let environment = ProcessInfo.processInfo.environment
    if let path = settings.compiler ?? environment["CAPNP"] { return executable(path) }
    let folders = (environment["PATH"] ?? "").split(separator: ":").map { String($0) }
    return (folders + ["/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"]).lazy
      .compactMap { executable($0 + "/capnp") }.first
  }

  /// Where `/capnp/...` is: the schemas of this package, and those that came with the compiler
  /// where it does not look by itself.
  static func standardFolders(_ compiler: URL, _ dependencies: [SchemaFolder]) -> [String] {
    let runtime = dependencies.first { $0.module == "CapnProto" }
    let own = runtime.map { URL(filePath: $0.path + "../../include").standardizedFileURL }
    let prefix = compiler.resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent()
    let installed = [compiler.deletingLastPathComponent().deletingLastPathComponent(), prefix]
      .map { $0.appending(path: "include").standardizedFileURL }
    return ([own].compactMap { $0 } + installed).map(\.plainPath)
      .filter { FileManager.default.fileExists(atPath: $0 + "/capnp") }
  }

  /// The ids of a target's schemas, which only the compiler reads as it does: it prints them again.
  ///
  /// - Throws: ``PluginError`` with the words of the compiler if it does not accept the schemas.
  static func fileIDs(of folder: SchemaFolder, _ compiler: URL) throws -> [String] {
    let folders = folder.importFolders(try folder.settings(), compiler)
    let printer = compiler.resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: "capnpc-capnp").plainPath
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      [
        "-u", "PWD", compiler.plainPath, "compile",
        "-o\(executable(printer)?.plainPath ?? "capnp")",
      ]
      + folders.map { "-I\($0)" } + folder.files.map(\.plainPath)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(
      decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw PluginError(description: "the schemas of '\(folder.module)': \(text)")
    }
    // The id stands at the head of each file, and nothing else at the start of a line does so.
    return text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("@0x") }
      .map { String($0.dropFirst().prefix { $0.isHexDigit || $0 == "x" }) }
  }

  /// What to do about a compiler that is not there.
  static func missing(_ settings: Settings) -> String {
    let named = settings.compiler ?? ProcessInfo.processInfo.environment["CAPNP"]
    let problem = named.map { "there is no executable '\($0)'" } ?? "'capnp' is not on the PATH"
    return """
      The Cap'n Proto schema compiler was not found: \(problem). Install it ('apt-get install \
      capnproto' on Debian and Ubuntu, 'brew install capnp' on macOS), or name it in the \
      environment variable CAPNP or as "compiler" in \(Settings.fileName) in the target's folder.
      """
  }

  private static func executable(_ path: String) -> URL? {
    FileManager.default.isExecutableFile(atPath: path) ? URL(filePath: path) : nil
  }
}
