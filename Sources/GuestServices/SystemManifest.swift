public import CapnProtoRPC
public import RemoteSessionSchema

/// The boot manifest, checked: what the guest offers, to whom, and where.
public struct SystemManifest: Sendable {
  /// A port to be bound, and what answers there.
  public struct Listener: Hashable, Sendable {
    /// The guest's port, 1 to 65535.
    public var guestPort: UInt16
    /// How many connections may be open at once.
    public var connections: Int
    /// What each connection may make the guest hold.
    public var limits: ConnectionLimits
  }

  /// Who may log in with a proof.
  public struct Account: Sendable {
    /// The name that a login gives.
    public var name: String
    /// Checks the account's password; nil if it has none.
    public var password: PasswordVerifier?
    /// The profiles that it may ask for; the first one is meant where a login names none.
    public var profiles: [String]
    /// Whether it may not log in at all.
    public var isDisabled: Bool
  }

  /// A set of services that sessions may get.
  public struct Profile: Hashable, Sendable {
    /// The name that a login gives.
    public var name: String
    /// The methods that admit to it.
    public var methods: [AuthMethodKind]
    /// The services that its sessions get.
    public var grants: [String]
    /// How long its sessions last, in seconds; 0: until logout or disconnect.
    public var sessionSeconds: UInt32
  }

  /// What the guest calls itself.
  public var hostname: String
  /// The operator's message to who logs in.
  public var motd: String
  /// Exactly the ports to be bound.
  public var listeners: [Listener]
  /// Who may log in with a proof.
  public var accounts: [Account]
  /// The sets of services that sessions may get.
  public var profiles: [Profile]
  /// How often a login may fail on one connection.
  public var loginAttempts: Int
  /// How many sessions may be open on one connection.
  public var sessions: Int
  /// How long a connection may be open without a session.
  public var timeWithoutSession: Duration
  /// How many failed logins of one address to one account are remembered at once, before it has to
  /// wait.
  public var failedLogins: Int
  /// How many passwords are checked in a minute, of all connections together.
  public var passwordChecksPerMinute: Int

  /// The first profile of the name.
  func profile(_ name: String) -> Profile? { profiles.first { $0.name == name } }

  /// The profiles to which the method admits.
  func profiles(for method: AuthMethodKind) -> [Profile] {
    profiles.filter { $0.methods.contains(method) }
  }
}

/// What is wrong with a boot manifest, in words for who wrote it.
public struct ManifestError: Error, Hashable, CustomStringConvertible {
  /// The words.
  public let description: String

  init(_ problem: String) { description = "the boot manifest is not usable: \(problem)" }
}
