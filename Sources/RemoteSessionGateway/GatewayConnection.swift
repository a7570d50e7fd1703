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
    var hasNotedExcess = false
  }
  let gateway: Gateway
  let source: ConnectionSource
  private let state = Mutex(State())

  init(_ gateway: Gateway, _ source: ConnectionSource) {
    self.gateway = gateway
    self.source = source
  }

  /// Counts an attempt in; a denial if it may not be made.
  func beginAttempt() throws(RPCError) -> Denial? {
    let outcome: Result<Denial?, RPCError> = state.withLock { state in
      if state.isClosed { return .failure(.disconnected("the connection is closed")) }
      if state.failures + state.inProgress >= gateway.limits.loginAttempts {
        return .success(
          Denial(
            .tooManyAttempts,
            "too many logins failed on this connection; the limit is "
              + "\(gateway.limits.loginAttempts)"))
      }
      if state.sessions.count + state.inProgress >= gateway.limits.sessions {
        return .success(
          Denial(
            .tooManySessions,
            "this connection has \(state.sessions.count) open sessions; the limit is "
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
    _ = state.withLock { $0.sessions.removeValue(forKey: ObjectIdentifier(session)) }
  }

  /// Whether a denial for the limit is still to be noted: once is enough for a log.
  func mustNoteExcess() -> Bool {
    state.withLock { state in
      defer { state.hasNotedExcess = true }
      return !state.hasNotedExcess
    }
  }

  func close() {
    let sessions = state.withLock { state in
      state.isClosed = true
      defer { state.sessions = [:] }
      return state.sessions
    }
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
