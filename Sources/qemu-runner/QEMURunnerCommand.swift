import ArgumentParser
import Foundation
import QEMURunner

@main
struct QEMURunnerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "qemu-runner",
    abstract: "Build and run the guest machine in QEMU.",
    subcommands: [ImageCommand.self, RunCommand.self, ExecCommand.self])
}

/// Writes to standard error, which leaves standard output to what scripts read.
func note(_ text: String) {
  try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
}

/// Writes a line at once, also if standard output is a pipe.
///
/// - Throws: `RunnerError.cannotWrite`.
func line(_ text: String) throws(RunnerError) {
  do {
    try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
  } catch {
    throw .cannotWrite("standard output", reason: error.localizedDescription)
  }
}
