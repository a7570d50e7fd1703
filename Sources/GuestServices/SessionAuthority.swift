import CapnProto
public import CapnProtoRPC
public import RemoteSessionSchema

/// Checks proofs, mints sessions, and gives each what the broker grants it.
public final class SessionAuthority: SessionManager.Server {
  private let manifest: SystemManifest
  private let credentials: CredentialStore
  private let broker: AuthorityBroker
  private let log: AuditLog

  /// An authority over the manifest's accounts and profiles.
  ///
  /// - Parameters:
  ///   - manifest: the accounts and profiles.
  ///   - credentials: checks passwords.
  ///   - broker: decides what a session gets.
  ///   - log: gets a line for each decision.
  public init(
    _ manifest: SystemManifest, credentials: CredentialStore, broker: AuthorityBroker,
    log: AuditLog
  ) {
    self.manifest = manifest
    self.credentials = credentials
    self.broker = broker
    self.log = log
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
    let attempt = try LoginAttempt(call.params)
    let decision = await decide(attempt)
    switch decision {
    case .denied(let reason, let text):
      log.login(
        attempt.method, profile: attempt.profile, from: attempt.origin,
        outcome: "denied(\(reason))")
      call.reply {
        let denial = $0.initDenial()
        denial.reason = reason
        denial.text = text
      }
    case .admitted(let account, let profile):
      let session = SessionContext(
        account: account, profile: profile.name, method: attempt.method, origin: attempt.origin,
        control: attempt.control)
      log.login(
        attempt.method, profile: profile.name, from: attempt.origin, outcome: "admitted")
      call.reply { admit(session, profile, $0.initAdmission()) }
    }
  }

  public func noteDenial(_ call: SessionManager.NoteDenialCall) async throws {
    let params = try call.params
    log.login(
      params.method, profile: try params.profile.string, from: try LoginOrigin(params.source),
      outcome: "denied(\(try params.denial.reason))")
  }

  private enum Decision {
    case admitted(account: String, SystemManifest.Profile)
    case denied(LoginDenial.Reason, String)
  }

  private func decide(_ attempt: LoginAttempt) async -> Decision {
    guard let proof = attempt.proof else {
      return .denied(.malformedRequest, "the request names no method that is known here")
    }
    let admitting = manifest.profiles(for: attempt.method)
    if let why = MethodPolicy.whyDisabled(
      attempt.method, admitsToProfiles: !admitting.isEmpty)
    {
      return .denied(.methodDisabled, why)
    }
    switch proof {
    case .anonymous:
      let asked = attempt.profile
      guard let profile = asked.isEmpty ? admitting.first : admitting.first(named: asked) else {
        return .denied(.profileNotAdmitted, "an anonymous login does not admit to that profile")
      }
      return .admitted(account: "", profile)
    case .password(let name, let password):
      guard let account = await credentials.account(named: name, password: password) else {
        return .denied(.badCredentials, "the account or its password is wrong")
      }
      if account.isDisabled { return .denied(.accountDisabled, "the account is disabled") }
      let own = account.profiles.compactMap { admitting.first(named: $0) }
      let asked = attempt.profile
      guard let profile = asked.isEmpty ? own.first : own.first(named: asked) else {
        return .denied(.profileNotAdmitted, "the account may not log in to that profile")
      }
      return .admitted(account: account.name, profile)
    }
  }

  private func admit(
    _ session: SessionContext, _ profile: SystemManifest.Profile, _ admission: Admission.Builder
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
    admission.lease = .server(SessionLeaseServer(session, log))
  }
}

extension [SystemManifest.Profile] {
  fileprivate func first(named name: String) -> SystemManifest.Profile? {
    first { $0.name == name }
  }
}
