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
