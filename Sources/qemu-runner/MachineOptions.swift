public import ArgumentParser
public import QEMURunner

extension MachineProfile.Accelerator: ExpressibleByArgument {}

/// The options of every command that boots the guest.
struct MachineOptions: ParsableArguments {
  @Option(help: "The folder with the image that 'qemu-runner image' wrote.")
  var image = "build/guest"

  @Option(
    help: """
      The port of 127.0.0.1 that leads to the guest; an error if it is in use. \
      Without this option: 2327 if that is free, any other otherwise.
      """)
  var port: Int?

  @Option(help: "The guest's port that it leads to, as the image's boot manifest has it.")
  var guestPort = Int(MachineProfile().guestPort)

  @Option(help: "What executes the guest's instructions. kvm hangs on some hosts.")
  var accel = MachineProfile.Accelerator.tcg

  @Option(help: "The guest's memory, in MiB.")
  var memory = MachineProfile().memory

  @Option(help: "How many processors the guest has.")
  var cpus = MachineProfile().processors

  @Option(help: "How long the guest may take until it listens, in seconds.")
  var bootTimeout = 90

  @Option(help: "The emulator.")
  var qemu = MachineProfile().emulator

  @Option(help: "The file that gets the serial console's output.")
  var serialLog = "build/serial.log"

  func validate() throws {
    if let port { try checkRange(port, 1...65535, "--port") }
    try checkRange(guestPort, 1...65535, "--guest-port")
    try checkRange(memory, 64...1_048_576, "--memory", "MiB")
    try checkRange(cpus, 1...255, "--cpus")
    // A day.
    try checkRange(bootTimeout, 1...86_400, "--boot-timeout", "s")
  }

  /// Boots the guest and says where it can be reached.
  ///
  /// - Parameter showsSerialLines: Whether to print the serial console as it comes.
  /// - Returns: The guest, ready for connections.
  /// - Throws: `RunnerError`; nothing is left running then.
  func boot(showsSerialLines: Bool) async throws -> GuestMachine {
    var settings = GuestMachine.Settings(image: GuestImage(directory: image))
    settings.profile.guestPort = UInt16(clamping: guestPort)
    settings.profile.accelerator = accel
    settings.profile.memory = memory
    settings.profile.processors = cpus
    settings.profile.emulator = qemu
    settings.hostPort = port.map { .exactly(UInt16(clamping: $0)) } ?? .usual
    settings.bootTimeout = .seconds(bootTimeout)
    settings.serialLogPath = serialLog
    if showsSerialLines { settings.showSerialLine = { try line($0) } }
    Interruption.watch()
    note("booting the guest (up to \(bootTimeout) s; serial console: \(serialLog))")
    let start = ContinuousClock.now
    let guest = try await GuestMachine.boot(settings)
    let elapsed = (ContinuousClock.now - start) / .milliseconds(100)
    note("the guest is listening after \(Double(Int(elapsed)) / 10) s")
    do {
      try line(
        "remote CapSet: tcp 127.0.0.1 \(guest.hostPort) -> guest :\(settings.profile.guestPort)")
    } catch {
      await stop(guest)
      throw error
    }
    return guest
  }

  /// Powers the guest off and says so.
  ///
  /// - Returns: Whether the guest powered off in order.
  @discardableResult
  func stop(_ guest: GuestMachine) async -> Bool {
    let isOff = await guest.stop()
    note(isOff ? "the guest is powered off" : "the guest did not power off; QEMU has been ended")
    return isOff
  }
}

/// Fails unless the option's number is in the range.
func checkRange(
  _ number: Int, _ range: ClosedRange<Int>, _ option: String, _ unit: String? = nil
) throws {
  guard range.contains(number) else {
    throw ValidationError(
      "\(option) must be \(range.lowerBound) to \(range.upperBound)"
        + (unit.map { " \($0)" } ?? ""))
  }
}
