import CapnProtoRPC
import RemoteSessionSchema

/// The services that a profile may grant.
public enum ServiceName: String, CaseIterable, Sendable {
  /// The session itself.
  case session
  /// Facts about the guest.
  case systemInfo
  /// Talk with other sessions.
  case chat

  var interface: InterfaceDescription {
    switch self {
    case .session: UserSession._interface
    case .systemInfo: SystemInfo._interface
    case .chat: Chat._interface
    }
  }
}

/// Decides what a session gets: what its profile grants, and nothing else.
public final class AuthorityBroker: Sendable {
  private let manifest: SystemManifest
  private let software: String
  private let chat = ChatServer()
  private let booted = ContinuousClock.now

  /// A broker over the guest's services.
  ///
  /// - Parameters:
  ///   - manifest: what each profile grants.
  ///   - software: what the guest calls its software.
  public init(_ manifest: SystemManifest, software: String) {
    self.manifest = manifest
    self.software = software
  }

  /// The capabilities of a session, made for it alone.
  func bundle(for session: SessionContext) -> [(service: ServiceName, capability: Capability)] {
    guard let profile = manifest.profile(session.profile) else { return [] }
    return profile.grants.compactMap { ServiceName(rawValue: $0) }
      .map { ($0, capability($0, for: session)) }
  }

  private func capability(_ service: ServiceName, for session: SessionContext) -> Capability {
    switch service {
    case .session: Capability(UserSession.Client.server(UserSessionServer(session)))
    case .systemInfo:
      Capability(
        SystemInfo.Client.server(
          SystemInfoServer(
            motd: manifest.motd, hostname: manifest.hostname, software: software, booted: booted)))
    case .chat: Capability(Chat.Client.server(ChatSpeaker(session, chat)))
    }
  }
}
