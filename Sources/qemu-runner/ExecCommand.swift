import ArgumentParser
import QEMURunner

struct ExecCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec",
    abstract: "Boot the guest, run a command against it, power the guest off.",
    discussion: """
      Every {port} in the command is replaced with the port that leads to the guest, and the \
      command's environment has it as REMOTE_SESSION_PORT. The status is the command's own; 128 \
      plus the signal if a signal ended it; 124 if it took longer than --time-limit, when it is \
      ended; 1 if the guest could not be booted, did not power off in order or its console could \
      not be written. The guest is powered off in every case.
      """)

  @OptionGroup var machine: MachineOptions

  @Flag(help: "Print the serial console as it comes.")
  var showSerial = false

  @Option(help: "How long the command may take, in seconds, before it is ended.")
  var timeLimit = 600
  /// A week, in seconds.
  private static let longestTimeLimit = 604_800

  @Argument(parsing: .postTerminator, help: "The command, after --, and its arguments.")
  var command: [String] = []

  func validate() throws {
    if command.isEmpty { throw ValidationError("there is no command; write it after --") }
    try checkRange(timeLimit, 1...Self.longestTimeLimit, "--time-limit", "s")
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
    let isOff = await machine.stop(guest)
    if let failure = guest.serialLog.failure { throw failure }
    throw ExitCode(status == 0 && !isOff ? 1 : status)
  }

  private func runCommand(port: UInt16) async throws -> Int32 {
    let words = command.map { $0.replacing("{port}", with: String(port)) }
    let child = try await SupervisedProcess.start(
      words[0], arguments: Array(words.dropFirst()),
      environment: ["REMOTE_SESSION_PORT": String(port)], output: .inherited)
    switch await child.ending(within: .seconds(timeLimit)) {
    case .exited(let status): return status
    case .interrupted(let signal): return 128 + signal
    case .overran:
      note(
        "the command was not done after \(timeLimit) s and has been ended; give it longer with "
          + "--time-limit, or look at what it waits for")
      // As timeout(1) does.
      return 124
    }
  }

  private func showSerialTail(_ guest: GuestMachine) {
    note("the command failed; the serial console's end:")
    for text in guest.serialLog.tail() { note("  | \(text)") }
  }
}
