import ArgumentParser
import QEMURunner

struct ExecCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec",
    abstract: "Boot the guest, run a command against it, power the guest off.",
    discussion: """
      Every {port} in the command is replaced with the port that leads to the guest, and the \
      command's environment has it as REMOTE_SESSION_PORT. The status is the command's own; 128 \
      plus the signal if a signal ended it; 1 if the guest could not be booted.
      """)

  @OptionGroup var machine: MachineOptions

  @Flag(help: "Print the serial console as it comes.")
  var showSerial = false

  @Argument(parsing: .postTerminator, help: "The command, after --, and its arguments.")
  var command: [String] = []

  func validate() throws {
    if command.isEmpty { throw ValidationError("there is no command; write it after --") }
  }

  func run() async throws {
    try SupervisedProcess.checkPresent(command[0])
    let guest = try await machine.boot(showsSerialLines: showSerial)
    let status: Int32
    do {
      status = try await runCommand(port: guest.hostPort)
    } catch {
      await machine.stop(guest)
      throw error
    }
    if status != 0 { showSerialTail(guest) }
    await machine.stop(guest)
    throw ExitCode(status)
  }

  private func runCommand(port: UInt16) async throws -> Int32 {
    let words = command.map { $0.replacing("{port}", with: String(port)) }
    let child = try await SupervisedProcess.start(
      words[0], arguments: Array(words.dropFirst()),
      environment: ["REMOTE_SESSION_PORT": String(port)], output: .inherited)
    while true {
      if let status = child.exit { return status }
      if let signal = Interruption.signal {
        child.signal(signal)
        if await !child.hasEnded(within: .seconds(3)) { child.signal(9) }
        _ = await child.exitStatus()
        return 128 + signal
      }
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  private func showSerialTail(_ guest: GuestMachine) {
    note("the command failed; the serial console's end:")
    for text in guest.serialLog.tail() { note("  | \(text)") }
  }
}
