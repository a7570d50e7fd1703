import CapnProto
import CapnProtoRPC
import RemoteSessionSchema

/// A session as services know it: who calls, by the session and not by what a call says.
final class SessionContext: Sendable {
  /// Empty for an anonymous session.
  let account: String
  let profile: String
  let method: AuthMethodKind
  let origin: LoginOrigin
  let began = ContinuousClock.now
  /// Ends the session.
  let control: SessionControl.Client?

  init(
    account: String, profile: String, method: AuthMethodKind, origin: LoginOrigin,
    control: SessionControl.Client?
  ) {
    self.account = account
    self.profile = profile
    self.method = method
    self.origin = origin
    self.control = control
  }
}

/// Told by the gateway when the session has ended, with words or by letting go.
final class SessionLeaseServer: SessionLease.Server {
  private let context: SessionContext
  private let log: AuditLog

  init(_ context: SessionContext, _ log: AuditLog) {
    self.context = context
    self.log = log
  }

  func ended(_ call: SessionLease.EndedCall) async throws {
    log.ended(context, reason: try call.params.reason.string)
  }
}
