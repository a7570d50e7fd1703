import ArgumentParser
import QEMURunner

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Boot the guest and show its serial console until Ctrl-C.",
    discussion: """
      Ctrl-C powers the guest off in order; a second one ends QEMU at once. The status is 0 \
      if the guest powered off, and 1 if it ended in any other way, such as a kernel panic, or if \
      its console could not be written.
      """)

  @OptionGroup var machine: MachineOptions

  func run() async throws {
    let guest: GuestMachine
    do {
      guest = try await machine.boot(showsSerialLines: true)
    } catch RunnerError.interrupted {
      note("stopped before the guest was listening")
      return
    }
    note("Ctrl-C powers it off")
    while Interruption.signal == nil {
      if let ending = guest.ending {
        note("\(ending)")
        throw ending == .poweredOff ? ExitCode.success : ExitCode.failure
      }
      if let failure = guest.serialLog.failure {
        await machine.stop(guest)
        throw failure
      }
      try? await Task.sleep(for: .milliseconds(20))
    }
    guard await machine.stop(guest) else { throw ExitCode.failure }
    if let failure = guest.serialLog.failure { throw failure }
  }
}
