import Foundation

// Safety. The flag that Foundation writes to is a local, borrowed for the call.

/// A program on the host.
enum Tool {
  /// Finds a program as a shell would: a name with a slash is a path, any other is looked up.
  static func path(
    of name: String, in environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(RunnerError) -> String {
    let candidates =
      name.contains("/")
      ? [name]
      : (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(name)" }
    for candidate in candidates where isProgram(candidate) { return candidate }
    throw .toolMissing(name)
  }

  private static func isProgram(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    return exists && !isDirectory.boolValue && FileManager.default.isExecutableFile(atPath: path)
  }
}
