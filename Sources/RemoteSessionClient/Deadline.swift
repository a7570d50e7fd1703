import CapnProtoRPC

/// Runs the body, and gives up on it after a while.
///
/// - Parameters:
///   - duration: how long the body may take.
///   - what: what is waited for, for the error's words: "no answer to …".
///   - body: what may take too long; it is cancelled then.
/// - Returns: what the body returns.
/// - Throws: what the body throws, or an `RPCError` that `isTimeout`, as a call's own time limit throws, and
///   that names what was waited for.
public func withDeadline<Value: Sendable>(
  _ duration: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await CallTimers.shared.sleep(for: duration)
      return nil
    }
    defer { group.cancelAll() }
    if let first = try await group.next(), let value = first { return value }
    throw RPCError.timedOut(
      after: duration,
      "no answer to \(what) within \(duration.inWords); it may be gone, or slow and in need of a "
        + "longer timeout")
  }
}

extension Duration {
  /// In whole seconds, or milliseconds where it is shorter than one.
  fileprivate var inWords: String {
    let (seconds, attoseconds) = components
    return seconds > 0 ? "\(seconds) s" : "\(attoseconds / 1_000_000_000_000_000) ms"
  }
}
