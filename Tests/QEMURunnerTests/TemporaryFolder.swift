import Foundation

/// A folder that a test has to itself.
struct TemporaryFolder {
  private let root: String

  init() throws {
    root =
      FileManager.default.temporaryDirectory.appendingPathComponent("qemu-runner-\(UUID())").path
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { "\(root)/\(name)" }

  func write(_ text: String, to name: String, isExecutable: Bool = false) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    try FileManager.default.setAttributes(
      [.posixPermissions: isExecutable ? 0o755 : 0o644], ofItemAtPath: path(name))
  }

  func remove() { try? FileManager.default.removeItem(atPath: root) }
}
