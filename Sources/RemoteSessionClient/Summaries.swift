import CapnProto
public import RemoteSessionSchema

/// What a gateway says of itself.
public struct GatewaySummary: Hashable, Sendable {
  /// The version of the contract that it speaks.
  public var protocolVersion: UInt32
  /// The file id of the schema that it was built with.
  public var schemaID: UInt64
  /// What it calls itself.
  public var software: String

  init(_ description: GatewayDescription.Reader) throws {
    protocolVersion = description.protocolVersion
    schemaID = description.schemaId
    software = try description.software.string
  }
}

/// A way to log in, and whether the guest admits it.
public struct AuthMethodSummary: Hashable, Sendable {
  /// The method.
  public var kind: AuthMethodKind
  /// Why it is disabled, in words; nil if it is enabled.
  public var whyDisabled: String?
  /// The profiles that it admits to.
  public var profiles: [String]

  init(_ method: AuthMethod.Reader) throws {
    kind = method.kind
    whyDisabled = method.enabled ? nil : try method.whyDisabled.string
    profiles = try method.profiles.map { $0.string }
  }
}

/// What a session is.
public struct SessionSummary: Hashable, Sendable {
  /// The account; empty for an anonymous session.
  public var account: String
  /// The profile that decides what it gets.
  public var profile: String
  /// The method by which it was admitted.
  public var method: AuthMethodKind
  /// How long it may still last; nil if it does not expire by itself.
  public var expiresIn: Duration?

  init(_ info: SessionInfo.Reader) throws {
    account = try info.account.string
    profile = try info.profile.string
    method = info.method
    expiresIn = info.expiresInSeconds == 0 ? nil : .seconds(Int64(info.expiresInSeconds))
  }
}

/// A capability that the session was granted.
public struct GrantedCapability: Hashable, Sendable {
  /// The name to get it by.
  public var name: String
  /// The id of its interface.
  public var interfaceID: UInt64
  /// The name of its interface, with its file.
  public var interfaceName: String

  init(_ entry: CapEntry.Reader) throws {
    name = try entry.name.string
    interfaceID = entry.interfaceId
    interfaceName = try entry.interfaceName.string
  }
}
