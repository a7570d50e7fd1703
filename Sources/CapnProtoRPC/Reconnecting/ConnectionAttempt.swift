import CapTP
import Synchronization

/// How a connection is made, with the object at its other end.
struct ConnectionAttempt: Sendable {
  let connect: @Sendable () async throws -> RPCConnection
  let object: @Sendable (RPCConnection) async throws -> Capability
  let policy: ReconnectPolicy
  let sleep: @Sendable (Duration) async throws -> Void

  /// A connection whose peer has given its object.
  ///
  /// The peer may be something that takes connections and then closes them, as a machine does that
  /// forwards a port to one that is not up: hence calls are let through only then.
  ///
  /// What connects need not heed its cancellation, and is not waited for: what it brings too late is
  /// closed.
  func run() async throws -> (RPCConnection, Capability) {
    guard let timeout = policy.attemptTimeout else { return try await open() }
    let outcome = FirstOutcome()
    let opening = Task {
      do {
        let opened = try await open()
        if !outcome.decide(.success(opened)) { opened.0.close() }
      } catch {
        outcome.decide(.failure(error))
      }
    }
    let timer = Task {
      do {
        try await sleep(timeout.bounded)
        outcome.decide(
          .failure(RPCError.disconnected("no connection and object within \(timeout)")))
      } catch {
        outcome.decide(.failure(error))
      }
    }
    defer {
      opening.cancel()
      timer.cancel()
    }
    return try await withTaskCancellationHandler {
      try await outcome.value()
    } onCancel: {
      outcome.decide(.failure(CancellationError()))
    }
  }

  private func open() async throws -> (RPCConnection, Capability) {
    let connection = try await connect()
    do {
      let object = try await object(connection)
      try await object.whenResolved()
      return (connection, object)
    } catch {
      connection.close()
      throw error
    }
  }
}

/// The outcome of an attempt, whoever is first to tell it.
private final class FirstOutcome: Sendable {
  typealias Outcome = Result<(RPCConnection, Capability), any Error>
  private struct State {
    var outcome: Outcome?
    var waiter: CheckedContinuation<Outcome, Never>?
  }
  private let state = Mutex(State())

  /// Says what the outcome is.
  ///
  /// - Returns: whether that had not been said.
  @discardableResult
  func decide(_ outcome: Outcome) -> Bool {
    let (isFirst, waiter) = state.withLock { state in
      guard state.outcome == nil else {
        return (false, nil as CheckedContinuation<Outcome, Never>?)
      }
      state.outcome = outcome
      return (true, state.waiter.take())
    }
    waiter?.resume(returning: outcome)
    return isFirst
  }

  /// Waits for the outcome. One may do so.
  func value() async throws -> (RPCConnection, Capability) {
    try await withCheckedContinuation { waiter in
      let outcome = state.withLock { state in
        if state.outcome == nil { state.waiter = waiter }
        return state.outcome
      }
      if let outcome { waiter.resume(returning: outcome) }
    }.get()
  }
}
