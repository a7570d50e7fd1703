import Glibc

/// Something that PID 1 has to react to.
public enum MachineEvent: Equatable, Sendable {
  /// Someone asked for an orderly power-off; the text says who.
  case powerOffRequested(by: String)
  /// A process ended and has been reaped.
  case processExited(pid: Int32, ProcessExit)
}

/// How a process ended.
public enum ProcessExit: Equatable, Sendable, CustomStringConvertible {
  /// It exited with this status.
  case status(Int32)
  /// This signal ended it.
  case signal(Int32)

  init(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    self = signal == 0 ? .status(waitStatus >> 8 & 0xff) : .signal(signal)
  }

  public var description: String {
    switch self {
    case .status(let status): "status \(status)"
    case .signal(let signal): "signal \(signal)"
    }
  }
}

/// What the operator can type on the serial console, and what the host's runner sends there.
enum ConsoleCommand: Equatable {
  case powerOff
  case unknown

  init?(line: String) {
    let word = line.drop { $0.isWhitespace }.prefix { !$0.isWhitespace }
    if word.isEmpty { return nil }
    self = word == "poweroff" ? .powerOff : .unknown
  }
}

/// Cuts console input into lines; a line over the limit is dropped whole.
struct LineBuffer {
  private var pending: [UInt8] = []
  private var isOverlong = false
  private let limit = 256

  mutating func append(_ bytes: [UInt8]) -> [String] {
    var lines: [String] = []
    for byte in bytes {
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
        if !isOverlong { lines.append(String(decoding: pending, as: UTF8.self)) }
        pending.removeAll(keepingCapacity: true)
        isOverlong = false
      } else if pending.count < limit {
        pending.append(byte)
      } else {
        isOverlong = true
      }
    }
    return lines
  }
}

/// The two threads that turn signals and console input into events.
enum MachineEventSource {
  private static let signals = SignalSet([SIGCHLD, SIGTERM, SIGINT, SIGPWR])

  /// Until it has run, a signal is discarded.
  static func blockSignals() { signals.block() }

  static func start(
    _ emit: @escaping @Sendable (MachineEvent) -> Void
  ) throws(SystemCallError) {
    try BackgroundThread.start { watchSignals(emit) }
    try BackgroundThread.start { watchConsole(emit) }
  }

  private static func watchSignals(_ emit: @Sendable (MachineEvent) -> Void) {
    while let signal = signals.wait() {
      if signal == SIGCHLD {
        // Several exits may share one SIGCHLD.
        while case .child(let pid, let status) = SystemCall.reap() {
          emit(.processExited(pid: pid, ProcessExit(waitStatus: status)))
        }
      } else {
        emit(.powerOffRequested(by: "signal \(signal)"))
      }
    }
  }

  private static func watchConsole(_ emit: @Sendable (MachineEvent) -> Void) {
    var lines = LineBuffer()
    while let bytes = try? SystemCall.read(STDIN_FILENO, upTo: 256), !bytes.isEmpty {
      for line in lines.append(bytes) {
        switch ConsoleCommand(line: line) {
        case .powerOff: emit(.powerOffRequested(by: "the serial console"))
        case .unknown: BootLog.line("console: unknown command; the one there is: poweroff")
        case nil: break
        }
      }
    }
  }
}
