public import Foundation
import Synchronization

/// A child process that does not outlive this one, whatever way this one ends.
///
/// The kernel can end a child with its parent (`PR_SET_PDEATHSIG`, which `setpriv` sets before it
/// becomes the program), but by "parent" it means the thread that started the child. So each child
/// has a thread of its own, which starts it, waits for it, and lives exactly as long. Where
/// `setpriv` is missing, only an orderly end takes the child along.
public final class SupervisedProcess: Sendable {
  /// Where the child's output and error streams go.
  public enum Output: Sendable {
    /// To this process's own.
    case inherited
    /// Both to this function, as bytes arrive, on a thread of the child's own.
    case captured(@Sendable (Data) -> Void)
  }

  /// The process id; it may name another process once `exit` is not nil.
  public let id: Int32
  private let input: FileHandle?
  private let ended: Ended

  private final class Ended: Sendable {
    let status = Mutex<Int32?>(nil)
  }

  private init(id: Int32, input: FileHandle?, ended: Ended) {
    self.id = id
    self.input = input
    self.ended = ended
  }

  /// Fails unless a program can be found, for a command that would find out late otherwise.
  ///
  /// - Parameter program: A name, looked up on `PATH`, or a path.
  /// - Throws: `RunnerError.toolMissing`.
  public static func checkPresent(_ program: String) throws(RunnerError) {
    _ = try Tool.path(of: program)
  }

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - program: A name, looked up on `PATH`, or a path.
  ///   - arguments: Its arguments, without its name.
  ///   - environment: Variables on top of this process's own.
  ///   - output: Where its output goes. If captured, its input is a pipe that `send` writes to.
  /// - Returns: The running child.
  /// - Throws: `RunnerError.toolMissing` or `RunnerError.cannotStart`.
  public static func start(
    _ program: String, arguments: [String], environment: [String: String] = [:], output: Output
  ) async throws -> SupervisedProcess {
    let path = try Tool.path(of: program)
    Interruption.surviveBrokenPipes
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        Interruption.unblockSignals()
        let process = Process()
        configure(process, path: path, arguments: arguments)
        if !environment.isEmpty {
          process.environment = ProcessInfo.processInfo.environment
            .merging(environment) { $1 }
        }
        let inputPipe: Pipe?
        var outputPipe: Pipe?
        switch output {
        case .inherited: inputPipe = nil
        case .captured:
          inputPipe = Pipe()
          let pipe = Pipe()
          process.standardInput = inputPipe
          process.standardOutput = pipe
          process.standardError = pipe
          outputPipe = pipe
        }
        do {
          try process.run()
        } catch {
          continuation.resume(
            throwing: RunnerError.cannotStart(program, reason: error.localizedDescription))
          return
        }
        let ended = Ended()
        continuation.resume(
          returning: SupervisedProcess(
            id: process.processIdentifier, input: inputPipe?.fileHandleForWriting, ended: ended))
        if case .captured(let receive) = output, let pipe = outputPipe {
          while true {
            let data = pipe.fileHandleForReading.availableData
            if data.isEmpty { break }
            receive(data)
          }
        }
        process.waitUntilExit()
        let status = process.terminationStatus
        let bySignal = process.terminationReason == .uncaughtSignal
        ended.status.withLock { $0 = bySignal ? 128 + status : status }
      }
    }
  }

  private static func configure(_ process: Process, path: String, arguments: [String]) {
    #if os(Linux)
      if let setpriv = try? Tool.path(of: "setpriv") {
        process.executableURL = URL(fileURLWithPath: setpriv)
        process.arguments = ["--pdeathsig", "KILL", "--", path] + arguments
        return
      }
    #endif
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
  }

  /// The exit status once the process has ended; 128 plus the signal if a signal ended it.
  public var exit: Int32? { ended.status.withLock { $0 } }

  /// Waits until the process has ended.
  ///
  /// - Returns: Its status, as `exit` gives it.
  public func exitStatus() async -> Int32 {
    while true {
      if let status = exit { return status }
      try? await Task.sleep(for: Self.pollInterval)
    }
  }

  /// Waits until the process has ended, but only so long.
  ///
  /// - Returns: Whether it has ended.
  public func hasEnded(within limit: Duration) async -> Bool {
    let deadline = ContinuousClock.Instant.after(limit)
    while exit == nil {
      if ContinuousClock.now >= deadline { return false }
      try? await Task.sleep(for: Self.pollInterval)
    }
    return true
  }

  /// How a process ended that was waited for.
  public enum Ending: Equatable, Sendable {
    /// By itself, with the status.
    case exited(Int32)
    /// A signal asked this program to stop.
    case interrupted(signal: Int32)
    /// It took too long.
    case overran
  }

  /// Waits until the process has ended; ends it after the limit, or when this program is asked to
  /// stop.
  public func ending(within limit: Duration) async -> Ending {
    let deadline = ContinuousClock.Instant.after(limit)
    while true {
      if let status = exit { return .exited(status) }
      if let signal = Interruption.signal {
        await end(with: signal)
        return .interrupted(signal: signal)
      }
      if ContinuousClock.now >= deadline {
        await end(with: 15)
        return .overran
      }
      try? await Task.sleep(for: Self.pollInterval)
    }
  }

  private func end(with signal: Int32) async {
    self.signal(signal)
    if await !hasEnded(within: .seconds(3)) { self.signal(9) }
    _ = await exitStatus()
  }

  /// Writes to the process's input, if it is a pipe; a process that is gone takes nothing.
  public func send(_ text: String) {
    try? input?.write(contentsOf: Data(text.utf8))
  }

  /// Sends a signal to the process and to those that it started in its group, unless it has ended.
  public func signal(_ signal: Int32) {
    ended.status.withLock { status in
      guard status == nil else { return }
      _ = kill(getpgid(id) == id ? -id : id, signal)
    }
  }

  /// How often a wait looks again.
  static let pollInterval = Duration.milliseconds(10)
}
