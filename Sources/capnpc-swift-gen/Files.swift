import Foundation

/// Finds the sources of schemas, whose lines are named in error messages.
///
/// The schema compiler names a file less its source prefix, and starts its plugins in the output
/// folder, while it stays where it was started. The build plugin says where the sources are.
enum SchemaSources {
  static func find(_ name: String) -> (path: String, text: String)? {
    let folders = [
      ProcessInfo.processInfo.environment["CAPNPC_SWIFT_SOURCES"],
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(getppid())/cwd"),
    ].compactMap { $0 }
    for path in folders.map({ $0.hasSuffix("/") ? $0 + name : "\($0)/\(name)" }) + ["/" + name] {
      if let text = try? String(contentsOfFile: path, encoding: .utf8) { return (path, text) }
    }
    return nil
  }
}

/// Writes generated files.
enum OutputFile {
  /// Writes the file unless it is the same already: what depends on it is not built again then.
  ///
  /// - Throws: ``WriteError``.
  static func write(_ text: String, to name: String) throws {
    let file = URL(fileURLWithPath: name)
    if let old = try? Data(contentsOf: file), old == Data(text.utf8) { return }
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file, options: .atomic)
    } catch {
      throw WriteError(name: name, reason: error.systemReason)
    }
  }
}

/// A generated file that cannot be written.
struct WriteError: Error, CustomStringConvertible {
  let name: String
  let reason: String

  var description: String { "\(name) cannot be written: \(reason)" }
}

extension Error {
  /// What the system says is wrong, which Foundation's errors carry.
  var systemReason: String {
    let error = self as NSError
    let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError
    return (cause ?? error).localizedDescription
  }
}
