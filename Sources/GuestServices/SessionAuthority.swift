import CapnProto
public import CapnProtoRPC
public import RemoteSessionSchema

/// Checks proofs, mints sessions, and gives each what the broker grants it.
public final class SessionAuthority: SessionManager.Server {
  private let manifest: SystemManifest
  private let credentials: CredentialStore
  private let broker: AuthorityBroker
  private let log: AuditLog
  private let throttle: LoginThrottle

  /// An authority over the manifest's accounts and profiles.
  ///
  /// - Parameters:
  ///   - manifest: the accounts and profiles.
  ///   - credentials: checks passwords.
  ///   - broker: decides what a session gets.
  ///   - log: gets a line for each decision, before the peer gets the decision.
  public init(
    _ manifest: SystemManifest, credentials: CredentialStore, broker: AuthorityBroker,
    log: AuditLog
  ) {
    self.manifest = manifest
    self.credentials = credentials
    self.broker = broker
    self.log = log
    throttle = LoginThrottle(limit: manifest.failedLogins)
  }

  public func authMethods(_ call: SessionManager.AuthMethodsCall) async throws {
    call.reply {
      let methods = $0.initMethods(MethodPolicy.kinds.count)
      for (index, kind) in MethodPolicy.kinds.enumerated() {
        let admitted = manifest.profiles(for: kind)
        let why = MethodPolicy.whyDisabled(kind, admitsToProfiles: !admitted.isEmpty)
        methods[index].kind = kind
        methods[index].enabled = why == nil
        methods[index].whyDisabled = why ?? ""
        let names = methods[index].initProfiles(why == nil ? admitted.count : 0)
        for position in names.indices { names[position] = admitted[position].name }
      }
    }
  }

  public func login(_ call: SessionManager.LoginCall) async throws {
    let origin = try LoginOrigin(call.params.source)
    let control = try call.params.control
    let attempt = (try? LoginAttempt(call.params.request)) ?? .unreadable
    let decision: Decision
    do {
      decision = try await decide(attempt, from: origin.host)
    } catch {
      try log.login(
        attempt.method, requested: attempt.profile, from: origin, .failed(reason: error.reason))
      throw error
    }
    switch decision {
    case .denied(let reason, let text):
      try log.login(
        attempt.method, requested: attempt.profile, from: origin, .denied(reason))
      call.reply {
        let denial = $0.initDenial()
        denial.reason = reason
        denial.text = text
      }
    case .admitted(let kind, let account, let profile):
      let session = SessionContext(
        account: account, profile: profile.name, method: kind, origin: origin, control: control)
      try log.login(
        attempt.method, requested: attempt.profile, from: origin, .admitted(profile: profile.name))
      let lease = SessionLeaseServer(session, log)
      call.reply { admit(session, profile, lease, $0.initAdmission()) }
    }
  }

  public func noteDenial(_ call: SessionManager.NoteDenialCall) async throws {
    let denied = try call.params.denied
    try log.login(
      LoginMethod(try denied.method), requested: try denied.profile.string,
      from: try LoginOrigin(denied.source), .denied(denied.reason), attempts: denied.attempts)
  }

  private enum Decision {
    case admitted(AuthMethodKind, account: String, SystemManifest.Profile)
    case denied(LoginDenial.Reason, String)
  }

  /// Decides within what the host of the attempt may still get wrong of the account's password.
  /// Clients may share an address: one that guesses does not bar the others from their accounts.
  private func decide(
    _ attempt: LoginAttempt, from host: String
  ) async throws(RPCError) -> Decision {
    guard case .password(let account, _) = attempt.proof else { return try await decide(attempt) }
    let guessed = LoginThrottle.Guessed(host: host, account: account)
    if let wait = throttle.begin(guessed) {
      return .denied(
        .tooManyAttempts,
        "too many logins to the account failed from this address; try again in "
          + "\(wait.components.seconds + 1) s")
    }
    do {
      let decision = try await decide(attempt)
      if case .admitted = decision { throttle.takeBack(guessed) }
      return decision
    } catch {
      // The proof was not looked at: nothing was guessed.
      throttle.takeBack(guessed)
      throw error
    }
  }

  private func decide(_ attempt: LoginAttempt) async throws(RPCError) -> Decision {
    switch attempt.proof {
    case .none(.unreadable):
      return .denied(.malformedRequest, "the request cannot be decoded")
    case .none:
      return .denied(.malformedRequest, "the request names no method that is known here")
    case .anonymous:
      let admitting = manifest.profiles(for: .anonymous)
      if let denial = disabled(.anonymous, admitting) { return denial }
      let asked = attempt.profile
      guard let profile = asked.isEmpty ? admitting.first : admitting.first(named: asked) else {
        return .denied(.profileNotAdmitted, "an anonymous login does not admit to that profile")
      }
      return .admitted(.anonymous, account: "", profile)
    case .password(let name, let password):
      let admitting = manifest.profiles(for: .password)
      if let denial = disabled(.password, admitting) { return denial }
      guard password.count <= LoginAttempt.passwordLimit else {
        return .denied(
          .malformedRequest, "a password has at most \(LoginAttempt.passwordLimit) bytes")
      }
      guard let account = try await credentials.account(named: name, password: password) else {
        return .denied(.badCredentials, "the account or its password is wrong")
      }
      if account.isDisabled { return .denied(.accountDisabled, "the account is disabled") }
      let own = account.profiles.compactMap { admitting.first(named: $0) }
      let asked = attempt.profile
      guard let profile = asked.isEmpty ? own.first : own.first(named: asked) else {
        return .denied(.profileNotAdmitted, "the account may not log in to that profile")
      }
      return .admitted(.password, account: account.name, profile)
    }
  }

  private func disabled(
    _ kind: AuthMethodKind, _ admitting: [SystemManifest.Profile]
  ) -> Decision? {
    MethodPolicy.whyDisabled(kind, admitsToProfiles: !admitting.isEmpty)
      .map { .denied(.methodDisabled, $0) }
  }

  private func admit(
    _ session: SessionContext, _ profile: SystemManifest.Profile, _ lease: SessionLeaseServer,
    _ admission: Admission.Builder
  ) {
    let info = admission.initInfo()
    info.account = session.account
    info.profile = session.profile
    info.method = session.method
    info.expiresInSeconds = profile.sessionSeconds
    let bundle = broker.bundle(for: session)
    let grants = admission.initGrants(bundle.count)
    for (index, grant) in bundle.enumerated() {
      let entry = grants[index].initEntry()
      entry.name = grant.service.rawValue
      entry.interfaceId = grant.service.interface.id
      entry.interfaceName = grant.service.interface.name
      entry.lease = .session
      grants[index].cap = grant.capability
    }
    admission.lease = .server(lease)
  }
}

extension [SystemManifest.Profile] {
  fileprivate func first(named name: String) -> SystemManifest.Profile? {
    first { $0.name == name }
  }
}
