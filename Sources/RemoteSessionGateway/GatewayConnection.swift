import CapnProtoRPC
import RemoteSessionSchema
import Synchronization

/// What the gateway keeps of one connection: its failed logins and its sessions.
final class GatewayConnection: Sendable {
  private struct State {
    var isClosed = false
    var failures = 0
    /// Logins whose outcome is not known: each may become a failure or a session.
    var inProgress = 0
    var sessions: [ObjectIdentifier: LiveSession] = [:]
    /// Since when there is no session, while there is none.
    var idleSince = ContinuousClock.now
    var excess = ExcessAttempts()
    /// Ends a connection that is open too long without a session.
    var watch: CallTimers.ID?
  }
  let gateway: Gateway
  let source: ConnectionSource
  private let abort: @Sendable (String) -> Void
  private let state = Mutex(State())

  init(
    _ gateway: Gateway, _ source: ConnectionSource, abort: @escaping @Sendable (String) -> Void
  ) {
    self.gateway = gateway
    self.source = source
    self.abort = abort
  }

  /// Begins to watch for too long a time without a session.
  func watch() {
    guard let left = timeLeft() else { return }
    let watch = gateway.timers.start(after: left) { [weak self] in self?.watch() }
    let isClosed = state.withLock { state in
      if !state.isClosed { state.watch = watch }
      return state.isClosed
    }
    if isClosed { gateway.timers.stop(watch) }
  }

  /// How long to wait before looking again; nil if the connection is over.
  private func timeLeft() -> Duration? {
    let limit = gateway.limits.timeWithoutSession
    let left: Duration? = state.withLock { state in
      if state.isClosed { return nil }
      if state.inProgress > 0 || !state.sessions.isEmpty { return limit }
      return state.idleSince + limit - .now
    }
    guard let left, left <= .zero else { return left }
    abort("the connection had no session for \(limit.components.seconds) s, which is the limit")
    gateway.closed(source)
    return nil
  }

  /// Counts an attempt in; a denial if it may not be made.
  func beginAttempt() throws(RPCError) -> Denial? {
    let outcome: Result<Denial?, RPCError> = state.withLock { state in
      if state.isClosed { return .failure(.disconnected("the connection is closed")) }
      if state.failures + state.inProgress >= gateway.limits.loginAttempts {
        return .success(
          Denial(
            .tooManyAttempts,
            "too many logins failed on this connection or are under way; the limit is "
              + "\(gateway.limits.loginAttempts)"))
      }
      if state.sessions.count + state.inProgress >= gateway.limits.sessions {
        return .success(
          Denial(
            .tooManySessions,
            "this connection has \(state.sessions.count) open sessions and \(state.inProgress) logins "
              + "under way; the limit is "
              + "\(gateway.limits.sessions)"))
      }
      state.inProgress += 1
      return .success(nil)
    }
    return try outcome.get()
  }

  func attemptFailed() {
    state.withLock { state in
      state.inProgress -= 1
      state.failures += 1
    }
  }

  /// Counts an attempt out that came to no decision.
  func attemptGivenUp() { state.withLock { $0.inProgress -= 1 } }

  /// Adds the session that the attempt led to; false if the connection is gone meanwhile.
  func attemptSucceeded(_ session: LiveSession) -> Bool {
    state.withLock { state in
      state.inProgress -= 1
      if state.isClosed { return false }
      state.sessions[ObjectIdentifier(session)] = session
      return true
    }
  }

  func remove(_ session: LiveSession) {
    _ = state.withLock { state in
      state.idleSince = .now
      return state.sessions.removeValue(forKey: ObjectIdentifier(session))
    }
  }

  /// Counts an attempt over the limits; what is now to be noted.
  func addExcess(_ attempt: DeniedAttempts) -> DeniedAttempts? {
    // After the end, nothing takes up what is pending.
    state.withLock { $0.isClosed ? attempt : $0.excess.add(attempt) }
  }

  /// Has the attempts noted in the audit log. The peer's answer does not depend on it.
  func note(_ denied: DeniedAttempts) async {
    try? await gateway.sessionManager.noteDenial {
      let attempt = $0.initDenied()
      denied.last.write(to: attempt)
      source.write(to: attempt.initSource())
      attempt.reason = denied.reason
      attempt.attempts = denied.count
    }.finished()
  }

  /// Ends the sessions with the reason.
  func endSessions(_ reason: String) {
    // A session that ends removes itself.
    for session in state.withLock({ Array($0.sessions.values) }) { session.end(reason) }
  }

  func close() {
    let (sessions, watch, excess) = state.withLock { state in
      state.isClosed = true
      defer {
        state.sessions = [:]
        state.watch = nil
      }
      return (state.sessions, state.watch, state.excess.takePending())
    }
    if let watch { gateway.timers.stop(watch) }
    if let excess { Task { await note(excess) } }
    for session in sessions.values { session.end("the connection was closed") }
  }
}

/// A domain "no" to a login.
struct Denial: Sendable {
  let reason: LoginDenial.Reason
  let text: String

  init(_ reason: LoginDenial.Reason, _ text: String) {
    self.reason = reason
    self.text = text
  }

  func write(to denial: LoginDenial.Builder) {
    denial.reason = reason
    denial.text = text
  }
}

extension ConnectionSource {
  func write(to source: LoginSource.Builder) {
    source.address = address
    source.host = host
    source.connectionEvent = event
  }
}
