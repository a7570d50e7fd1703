import Glibc

/// The signals that ask a process of a host to stop: Ctrl-C, a closed terminal, or `kill`.
public enum StopSignal {
  private static let signals = SignalSet([SIGTERM, SIGINT, SIGHUP])

  /// Blocks the signals, so that they end nothing. It must run before any thread that does not block
  /// them exists.
  public static func block() { signals.block() }

  /// Waits for the first of the signals, which must be blocked; the next one ends the process.
  ///
  /// - Returns: The signal's number.
  /// - Throws: `SystemCallError` if the thread that waits cannot be started.
  public static func received() async throws -> Int32 {
    try await withCheckedThrowingContinuation { continuation in
      do throws(SystemCallError) {
        try BackgroundThread.start {
          guard let first = signals.wait() else {
            continuation.resume(throwing: SystemCallError("wait for signals", code: EINVAL))
            return
          }
          continuation.resume(returning: first)
          // A second signal asks for an end without a wait.
          if let second = signals.wait() { exit(128 + second) }
        }
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }
}
