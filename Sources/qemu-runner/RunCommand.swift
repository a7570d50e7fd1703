import ArgumentParser
import QEMURunner

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Boot the guest and show its serial console until Ctrl-C.",
    discussion: """
      Ctrl-C powers the guest off in order; a second one ends QEMU at once. The status is 0 \
      however the guest was asked to stop, and 1 if QEMU ended by itself with an error.
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
      if let status = guest.process.exit {
        note("the guest stopped by itself; QEMU's status is \(status)")
        throw status == 0 ? ExitCode.success : ExitCode.failure
      }
      try? await Task.sleep(for: .milliseconds(20))
    }
    await machine.stop(guest)
  }
}
