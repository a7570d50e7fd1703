import Glibc

/// The machine, as PID 1 holds it. There is one value, and only `bringUp` makes it, so nothing but
/// PID 1 can end every process or power the machine off.
public struct Machine: Sendable {
  /// What PID 1 has to react to, in order. One task may iterate it.
  public let events: AsyncStream<MachineEvent>

  private init(events: AsyncStream<MachineEvent>) {
    self.events = events
  }

  /// Why a machine could not be brought up.
  public enum BringUpError: Error, Equatable, CustomStringConvertible {
    /// This process is not PID 1: on a host, the same code would take the host down.
    case notInit
    /// The kernel refused something that the guest cannot do without.
    case systemCall(SystemCallError)

    public var description: String {
      switch self {
      case .notInit: "only PID 1 of a guest may bring a machine up"
      case .systemCall(let error): error.description
      }
    }
  }

  /// Mounts the kernel file systems, loads the image's kernel modules, and starts watching for
  /// signals, ended processes and console commands.
  ///
  /// - Returns: The machine, without a network yet.
  /// - Throws: `BringUpError`.
  public static func bringUp() throws(BringUpError) -> Machine {
    guard getpid() == 1 else { throw .notInit }
    MachineEventSource.blockSignals()
    let (events, continuation) = AsyncStream.makeStream(of: MachineEvent.self)
    do throws(SystemCallError) {
      for mount in Mount.all {
        try SystemCall.mount(
          mount.type, at: mount.path, flags: mount.flags, options: mount.options)
      }
      BootLog.line("init: mounted \(Mount.all.map(\.path).joined(separator: " "))")
      BootLog.line("init: loaded \(try KernelModules.loadAll()) kernel modules")
      try MachineEventSource.start { continuation.yield($0) }
    } catch {
      throw .systemCall(error)
    }
    return Machine(events: events)
  }

  /// Brings the machine up, runs `body`, and powers off when it returns or throws.
  ///
  /// An error is the boot's failure: it is logged, and the machine does not stay up half started.
  public static func run(_ body: (Machine) async throws -> Void) async -> Never {
    do {
      let machine = try bringUp()
      do {
        try await body(machine)
      } catch {
        BootLog.line("init: failed: \(error)")
      }
      machine.powerOff()
    } catch {
      BootLog.line("init: failed: \(error)")
      if error != .notInit { endMachine() }
      exit(EXIT_FAILURE)
    }
  }

  /// Brings up loopback and the given interface.
  ///
  /// - Throws: `SystemCallError`, also if the interface does not appear within 30 seconds.
  public func configure(_ network: Network) throws(SystemCallError) {
    try network.configure()
    let route = network.gateway.map { " via \($0)" } ?? ""
    BootLog.line(
      "init: \(network.interface) is \(network.address)/\(network.prefixLength)\(route)")
  }

  /// Waits until someone asks for a power-off, logging the processes that end meanwhile.
  ///
  /// - Returns: Who asked.
  public func powerOffRequested() async -> String {
    for await event in events {
      switch event {
      case .powerOffRequested(let requester): return requester
      case .processExited(let pid, let exit): BootLog.line("init: process \(pid) ended: \(exit)")
      }
    }
    return "the end of its events"
  }

  /// Asks every process to end, ends those that do not, and powers off.
  public func powerOff() -> Never {
    BootLog.line("init: powering off")
    // Every process is a descendant, and orphans become children: without children it is alone.
    if SystemCall.reap() != .noChildren {
      _ = kill(-1, SIGTERM)
      let deadline = SystemCall.uptime() + 2
      while SystemCall.reap() != .noChildren, SystemCall.uptime() < deadline { _ = usleep(5_000) }
      _ = kill(-1, SIGKILL)
    }
    Self.endMachine()
  }

  private static func endMachine() -> Never {
    do throws(SystemCallError) {
      try SystemCall.powerOff()
    } catch {
      BootLog.line("init: \(error)")
    }
    // Returning from PID 1 panics the kernel, which ends the machine as well.
    exit(EXIT_FAILURE)
  }
}
