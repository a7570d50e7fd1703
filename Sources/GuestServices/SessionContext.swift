import CapnProto
import CapnProtoRPC
import RemoteSessionSchema
import Synchronization

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

/// Told by the gateway when the session has ended, with words or by letting go: the log gets one
/// line either way.
final class SessionLeaseServer: SessionLease.Server {
  private let context: SessionContext
  private let log: AuditLog
  private let isNoted = Mutex(false)

  init(_ context: SessionContext, _ log: AuditLog) {
    self.context = context
    self.log = log
  }

  // A session whose login was given up half-way, or whose gateway is gone.
  deinit { note("it was let go of") }

  func ended(_ call: SessionLease.EndedCall) async throws {
    note(try call.params.reason.string)
  }

  private func note(_ reason: String) {
    let isFirst = isNoted.withLock { isNoted in
      defer { isNoted = true }
      return !isNoted
    }
    if isFirst { log.ended(context, reason: reason) }
  }
}
