/// A guest that runs in QEMU, from boot to power-off.
public final class GuestMachine: Sendable {
  /// What is needed to boot a guest.
  public struct Settings: Sendable {
    /// The machine that QEMU emulates.
    public var profile = MachineProfile()
    /// The kernel and the root directory.
    public var image: GuestImage
    /// Which port of 127.0.0.1 leads to the guest.
    public var hostPort = HostPort.usual
    /// How long the guest may take until it listens.
    public var bootTimeout = Duration.seconds(90)
    /// How long the guest may take to power off.
    public var powerOffTimeout = Duration.seconds(15)
    /// A file that gets the serial console's output.
    public var serialLogPath: String?
    /// Is called with each line of the serial console; throws if it cannot show it.
    public var showSerialLine: (@Sendable (String) throws -> Void)?

    /// The usual settings for an image.
    public init(image: GuestImage) {
      self.image = image
    }
  }

  /// A line with this text on the serial console means that the guest takes connections. A
  /// connection is no proof: QEMU accepts one before the guest listens.
  public static let readyMark = "listening"

  /// The port of 127.0.0.1 that leads to the guest.
  public let hostPort: UInt16
  /// The serial console's output.
  public let serialLog: SerialLog
  /// QEMU.
  public let process: SupervisedProcess
  private let settings: Settings

  private init(
    hostPort: UInt16, serialLog: SerialLog, process: SupervisedProcess, settings: Settings
  ) {
    self.hostPort = hostPort
    self.serialLog = serialLog
    self.process = process
    self.settings = settings
  }

  /// Boots a guest and waits until it listens.
  ///
  /// - Parameter settings: What to boot, and how.
  /// - Returns: The guest, ready for connections. Stop it with `stop()`.
  /// - Throws: `RunnerError`; no process is left running then.
  public static func boot(_ settings: Settings) async throws -> GuestMachine {
    try settings.image.checkPresent()
    var attempt = 1
    while true {
      let guest = try await start(settings)
      do {
        try await guest.waitUntilListening()
        return guest
      } catch {
        await guest.kill()
        // Between choosing a free port and QEMU's use of it, someone else may have taken it.
        let lostPort = guest.serialLog.tail().contains { $0.contains("host forwarding rule") }
        guard lostPort else { throw error }
        if case .exactly(let port) = settings.hostPort { throw RunnerError.portInUse(port) }
        if attempt == 3 { throw error }
        attempt += 1
      }
    }
  }

  private static func start(_ settings: Settings) async throws -> GuestMachine {
    let port = try settings.hostPort.choose()
    let log = try SerialLog(
      mark: readyMark, path: settings.serialLogPath, show: settings.showSerialLine)
    let process = try await SupervisedProcess.start(
      settings.profile.emulator,
      arguments: settings.profile.arguments(image: settings.image, hostPort: port),
      output: .captured { log.append($0) })
    return GuestMachine(hostPort: port, serialLog: log, process: process, settings: settings)
  }

  private func waitUntilListening() async throws {
    let deadline = ContinuousClock.Instant.after(settings.bootTimeout)
    while !serialLog.hasLineWithMark {
      if let status = process.exit {
        throw RunnerError.guestEnded(status: status, serialTail: serialLog.tail())
      }
      if let failure = serialLog.failure { throw failure }
      if let signal = Interruption.signal { throw RunnerError.interrupted(signal: signal) }
      if ContinuousClock.now >= deadline {
        throw RunnerError.guestNotListening(
          seconds: Int(settings.bootTimeout.components.seconds), serialTail: serialLog.tail())
      }
      try await Task.sleep(for: SupervisedProcess.pollInterval)
    }
  }

  /// How a guest ended.
  public enum Ending: Equatable, Sendable, CustomStringConvertible {
    /// PID 1 powered the machine off.
    case poweredOff
    /// QEMU ended with the status, and the guest had not powered off: its kernel has panicked, say.
    case crashed(status: Int32)

    public var description: String {
      switch self {
      case .poweredOff: "the guest has powered off"
      case .crashed(let status):
        "the guest has crashed: it did not power off, and QEMU ended with status \(status)"
      }
    }
  }

  /// How the guest ended; nil while QEMU runs.
  public var ending: Ending? {
    process.exit.map { status in
      status == 0 && serialLog.endsInOrder ? .poweredOff : .crashed(status: status)
    }
  }

  /// Asks the guest to power off, and ends QEMU if it does not; returns when QEMU has ended.
  ///
  /// - Returns: Whether the guest powered off by itself.
  @discardableResult
  public func stop() async -> Bool {
    process.send("poweroff\n")
    let deadline = ContinuousClock.Instant.after(settings.powerOffTimeout)
    while process.exit == nil, ContinuousClock.now < deadline, !Interruption.isRepeated {
      try? await Task.sleep(for: SupervisedProcess.pollInterval)
    }
    let isOff = ending == .poweredOff
    await kill()
    return isOff
  }

  /// Ends QEMU without asking the guest; returns when it has ended.
  public func kill() async {
    process.signal(15)
    if await process.hasEnded(within: .seconds(3)) { return }
    process.signal(9)
    _ = await process.hasEnded(within: .seconds(5))
  }
}
