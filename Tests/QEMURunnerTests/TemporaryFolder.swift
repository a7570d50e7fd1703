import Foundation
import Testing

/// A folder that a test has to itself.
struct TemporaryFolder {
  private let root: String

  init() throws {
    root =
      FileManager.default.temporaryDirectory.appendingPathComponent("qemu-runner-\(UUID())").path
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { "\(root)/\(name)" }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
  }

  /// Writes a program by a process of its own: while this one has a file open to write, so has any child
  /// that another test starts, until it runs its program, and what is open to write cannot be run.
  func writeProgram(_ text: String, to name: String) throws {
    try write(text, to: "\(name).text")
    let copying = try Process.run(
      URL(fileURLWithPath: "/bin/sh"),
      arguments: ["-c", #"cp "$0" "$1" && chmod 755 "$1""#, path("\(name).text"), path(name)])
    copying.waitUntilExit()
    #expect(copying.terminationStatus == 0)
  }

  func remove() { try? FileManager.default.removeItem(atPath: root) }
}
