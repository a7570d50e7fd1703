import Glibc
import GuestInit

/// The guest's one executable. As PID 1 it brings the machine up and serves; with `--local` it
/// serves in the same way as a plain process of the host.
@main enum GuestInitCommand {
  static let manifestPath = "/etc/boot-manifest.bin"

  static func main() async {
    if getpid() == 1 {
      await Machine.run { @Sendable machine in
        try machine.configure(.qemuUser)
        let guest = try await Guest.start(manifestAt: manifestPath, host: "0.0.0.0", port: nil)
        let requester = await machine.powerOffRequested()
        BootLog.line("init: power-off asked for by \(requester)")
        await guest.stop("the guest is powering off")
      }
    }
    do {
      try await serveLocally(LocalOptions(Array(CommandLine.arguments.dropFirst())))
    } catch {
      BootLog.line("guest-init: \(error)")
      exit(EXIT_FAILURE)
    }
  }

  /// Serves until a signal asks the process to stop; another one ends it at once.
  private static func serveLocally(_ options: LocalOptions) async throws {
    StopSignal.block()
    let guest = try await Guest.start(
      manifestAt: options.manifest, host: "127.0.0.1", port: options.port)
    let signal = try await StopSignal.received()
    BootLog.line("guest-init: asked to stop by signal \(signal)")
    await guest.stop("the guest is shutting down")
  }
}

/// What is wrong with the command line, in words.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// What follows the executable's name on a host.
struct LocalOptions {
  var manifest = "build/boot-manifest.bin"
  /// Instead of the manifest's port.
  var port: UInt16?

  static let usage = """
    this is PID 1 of a guest; on a host, run: \
    guest-init --local [--port PORT] [--manifest PATH]
    """

  init(_ arguments: [String]) throws {
    guard arguments.first == "--local" else { throw UsageError(Self.usage) }
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { throw UsageError(Self.usage) }
      switch name {
      case "--manifest": manifest = value
      case "--port":
        guard let number = UInt16(value) else {
          throw UsageError("--port \(value) is no port: 0 (any that is free) to 65535")
        }
        port = number
      default: throw UsageError("there is no option \(name); \(Self.usage)")
      }
    }
  }
}
