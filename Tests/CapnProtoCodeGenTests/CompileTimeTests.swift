import CapnProtoCodeGen
import Foundation
import Testing

/// The processor time that Swift's compiler takes for the output for large schemas.
///
/// The limits are several times what is needed where the time is linear, and a fraction of what was
/// needed where it is quadratic. They count the compiler's own processor time, as other tests run at
/// the same time.
@Suite(.timeLimit(.minutes(3))) struct CompileTimeTests {
  @Test func aLargeEnumIsCheckedInLinearTime() throws {
    let enumerants = (0..<3000).map { "value\($0) @\($0);" }.joined(separator: " ")
    try expectChecked("@0xd4c9b1f5a2e87390; enum Large { \(enumerants) }", seconds: 8)
  }

  @Test func deeplyNestedStructsAndGroupsAreCheckedInLinearTime() throws {
    let levels = 0..<40
    let structs = levels.map { level in
      "struct Level\(level) { number @0 :UInt32; "
        + (level + 1 < levels.count ? "inner @1 :Level\(level + 1); " : "")
    }
    let groups = levels.map { "level\($0) :group { number\($0) @\($0) :UInt32; " }
    let ends = levels.map { _ in "}" }.joined()
    try expectChecked(
      """
      @0xd4c9b1f5a2e87391; \(structs.joined()) \(ends)
      struct Groups { \(groups.joined()) \(ends) }
      """, seconds: 8)
  }

  private func expectChecked(_ schema: String, seconds: Int) throws {
    let text = try #require(try Compiler().generator(["a.capnp": schema]).files().first).text
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "a.swift")
    try Data(text.utf8).write(to: file)
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    // Built beside the tests.
    let modules = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appending(path: "Modules").path(percentEncoded: false)
    let limited = ["-c", "ulimit -t \(seconds); exec swiftc \"$@\"", "swiftc"]
    let features = ["-enable-experimental-feature", "Lifetimes"]
    let options = ["-typecheck", "-parse-as-library", "-swift-version", "6", "-I", modules]
    process.arguments = limited + features + options + [file.path(percentEncoded: false)]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
