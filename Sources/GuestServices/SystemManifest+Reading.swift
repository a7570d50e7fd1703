import CapnProto
import CapnProtoRPC
import RemoteSessionSchema

extension SystemManifest {
  /// The manifest that `capnp eval --binary` encoded.
  ///
  /// - Throws: ``ManifestError``, which says what to correct.
  public init(encoded bytes: [UInt8]) throws(ManifestError) {
    do {
      let message = try MessageReader(flat: bytes)
      try self.init(message.root(as: BootManifest.Reader.self))
    } catch let error as ManifestError {
      throw error
    } catch {
      throw ManifestError("it cannot be read: \(error)")
    }
  }

  init(_ manifest: BootManifest.Reader) throws {
    hostname = try manifest.hostname.string
    motd = try manifest.motd.string
    listeners = try manifest.listeners.map { try Listener($0) }
    accounts = try manifest.accounts.map { try Account($0) }
    profiles = try manifest.profiles.map { try Profile($0) }
    // A limits struct that is not there reads as the schema's defaults.
    loginAttempts = try Int(manifest.limits.loginAttempts)
    sessions = try Int(manifest.limits.sessions)
    timeWithoutSession = try .seconds(Int64(manifest.limits.secondsWithoutSession))
    failedLogins = try Int(manifest.limits.failedLogins)
    passwordChecksPerMinute = try Int(manifest.limits.passwordChecksPerMinute)
    try check()
  }

  private func check() throws(ManifestError) {
    guard !hostname.isEmpty else { throw ManifestError("it has no hostname") }
    guard !listeners.isEmpty else { throw ManifestError("it has no listener") }
    try Self.checkUnique(listeners.map { String($0.guestPort) }, "listener on port")
    try Self.checkUnique(accounts.map(\.name), "account")
    try Self.checkUnique(profiles.map(\.name), "profile")
    guard loginAttempts > 0, sessions > 0, timeWithoutSession > .zero, failedLogins > 0,
      passwordChecksPerMinute > 0
    else { throw ManifestError("a limit of 0 would admit nobody") }
    try checkCosts()
    for account in accounts {
      guard !account.profiles.isEmpty else {
        throw ManifestError("account '\(account.name)' has no profile")
      }
      for name in account.profiles where profile(name) == nil {
        throw ManifestError(
          "account '\(account.name)' has the profile '\(name)', which is not defined; "
            + "there are: \(Self.list(profiles.map(\.name)))")
      }
    }
    for profile in profiles {
      try Self.checkUnique(profile.grants, "grant of profile '\(profile.name)'")
      for grant in profile.grants where ServiceName(rawValue: grant) == nil {
        throw ManifestError(
          "profile '\(profile.name)' grants '\(grant)', which no service offers; "
            + "there are: \(Self.list(ServiceName.allCases.map(\.rawValue)))")
      }
    }
  }

  /// An account that is unknown takes as long as one that is known only if all of these do.
  private func checkCosts() throws(ManifestError) {
    let verified = accounts.filter { $0.password != nil }
    guard let first = verified.first else { return }
    for account in verified where account.password?.cost != first.password?.cost {
      throw ManifestError(
        "the passwords of the accounts '\(first.name)' and '\(account.name)' have other rounds, "
          + "blockSize or parallelism: how long a login takes would tell which accounts exist")
    }
  }

  private static func checkUnique(_ names: [String], _ what: String) throws(ManifestError) {
    var seen: Set<String> = []
    for name in names {
      guard !name.isEmpty else { throw ManifestError("a \(what) has no name") }
      guard seen.insert(name).inserted else {
        throw ManifestError("there are two: \(what) '\(name)'")
      }
    }
  }

  private static func list(_ names: [String]) -> String {
    names.isEmpty ? "none" : names.sorted().joined(separator: ", ")
  }
}

extension SystemManifest.Listener {
  init(_ listener: Listener.Reader) throws {
    guard listener.guestPort > 0 else { throw ManifestError("a listener has no port") }
    guard listener.service == .remoteSessionGateway else {
      throw ManifestError(
        "the listener on port \(listener.guestPort) is for the service \(listener.service), "
          + "which is not known; there is: remoteSessionGateway")
    }
    guard listener.connections > 0, listener.messageKiB > 0, listener.unwrittenKiB > 0,
      listener.calls > 0
    else {
      throw ManifestError(
        "the listener on port \(listener.guestPort) has a limit of 0, which would admit nobody")
    }
    guestPort = listener.guestPort
    connections = Int(listener.connections)
    limits = ConnectionLimits()
    limits.messageWords = Int(listener.messageKiB) * 128
    // A second message while the first is being handled.
    limits.wordsInFlight = 2 * limits.messageWords
    limits.unwrittenBytes = Int(listener.unwrittenKiB) * 1024
    limits.answers = Int(listener.calls)
    limits.queuedCalls = limits.answers
    limits.exports = 1024
    limits.imports = 1024
  }
}

extension SystemManifest.Account {
  init(_ account: RemoteSessionSchema.Account.Reader) throws {
    name = try account.name.string
    profiles = try account.profiles.map { $0.string }
    isDisabled = account.disabled
    password = account.hasPassword ? try PasswordVerifier(account.password, of: name) : nil
  }
}

extension SystemManifest.Profile {
  init(_ profile: RemoteSessionSchema.Profile.Reader) throws {
    name = try profile.name.string
    methods = try profile.methods.array
    grants = try profile.grants.map { $0.string }
    sessionSeconds = profile.sessionSeconds
    for method in methods where method != .password && method != .anonymous {
      throw ManifestError(
        "profile '\(name)' admits the method \(method), which is not implemented; "
          + "there are: anonymous, password")
    }
  }
}

extension PasswordVerifier {
  init(_ verifier: ScryptVerifier.Reader, of account: String) throws {
    self.init(
      salt: try verifier.salt.array, key: try verifier.key.array, rounds: Int(verifier.rounds),
      blockSize: Int(verifier.blockSize), parallelism: Int(verifier.parallelism))
    if let problem { throw ManifestError("the password of account '\(account)': \(problem)") }
  }
}
