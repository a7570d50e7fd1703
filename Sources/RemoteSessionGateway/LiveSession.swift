import CapnProto
import CapnProtoRPC
import RemoteSessionSchema
import Synchronization

/// A session as the gateway keeps it, from the login until it ends.
final class LiveSession: Sendable {
  private struct State {
    var admission: Ref<SessionManager.LoginResults.Reader>?
    var expires: ContinuousClock.Instant?
    var expiry: CallTimers.ID?
    var ended: String?
  }
  private let connection: GatewayConnection
  /// Everything that the session's holder gets lies behind it.
  private let membrane = Membrane()
  private let state = Mutex(State())

  private var timers: CallTimers { connection.gateway.timers }

  init(_ connection: GatewayConnection) { self.connection = connection }

  /// Takes what the authority admitted.
  func start(_ admission: Ref<SessionManager.LoginResults.Reader>) throws {
    let seconds = try admission.reader.admission.info.expiresInSeconds
    let duration = Duration.seconds(Int64(seconds))
    let expiry =
      seconds == 0
      ? nil : timers.start(after: duration) { [weak self] in self?.end("it expired") }
    let ended: String? = state.withLock { state in
      if state.ended == nil {
        state.admission = admission
        state.expires = seconds == 0 ? nil : .now + duration
        state.expiry = expiry
      }
      return state.ended
    }
    if let ended {
      if let expiry { timers.stop(expiry) }
      throw RPCError.disconnected("the session has ended: \(ended)")
    }
  }

  /// The session, as its holder gets it.
  var client: RemoteSession.Client { membrane.wrap(.server(RemoteSessionServer(self))) }

  /// What the authority admitted.
  func admission() throws(RPCError) -> Ref<SessionManager.LoginResults.Reader> {
    guard let admission = state.withLock({ $0.admission }) else {
      throw .disconnected("the session has ended")
    }
    return admission
  }

  /// Whole seconds until it expires, at least 1; 0 if it does not.
  var secondsLeft: UInt32 {
    guard let expires = state.withLock({ $0.expires }) else { return 0 }
    return UInt32(clamping: max(1, (expires - .now).components.seconds))
  }

  /// Ends the session and everything got through it. Only the first time counts.
  func end(_ reason: String) {
    let (isFirst, admission, expiry) = state.withLock { state in
      guard state.ended == nil else {
        return (false, nil as Ref<SessionManager.LoginResults.Reader>?, nil as CallTimers.ID?)
      }
      state.ended = reason
      defer {
        state.admission = nil
        state.expiry = nil
      }
      return (true, state.admission, state.expiry)
    }
    guard isFirst else { return }
    if let expiry { timers.stop(expiry) }
    connection.remove(self)
    membrane.revoke(.disconnected("the session has ended: \(reason)")) { interface, method in
      Self.endings.contains { $0.interface == interface && $0.method == method }
    }
    guard let lease = try? admission?.reader.admission.lease else { return }
    Task { try? await lease.ended { $0.reason = reason }.finished() }
  }

  /// The methods that end a session, and which therefore return nevertheless.
  private static let endings: [(interface: UInt64, method: UInt16)] = [
    (RemoteSession._typeID, RemoteSession.Methods.logout),
    (UserSession._typeID, UserSession.Methods.logout),
  ]
}

/// What the authority may do to a session of the gateway: end it.
final class SessionControlServer: SessionControl.Server {
  private let session: LiveSession

  init(_ session: LiveSession) { self.session = session }

  func end(_ call: SessionControl.EndCall) async throws {
    session.end(try call.params.reason.string)
  }
}
