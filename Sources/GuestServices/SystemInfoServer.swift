import CapnProtoRPC
import RemoteSessionSchema

/// Facts about the guest.
final class SystemInfoServer: SystemInfo.Server {
  private let motd: String
  private let hostname: String
  private let software: String
  private let booted: ContinuousClock.Instant

  init(motd: String, hostname: String, software: String, booted: ContinuousClock.Instant) {
    self.motd = motd
    self.hostname = hostname
    self.software = software
    self.booted = booted
  }

  func motd(_ call: SystemInfo.MotdCall) async throws { call.reply { $0.text = motd } }

  func describe(_ call: SystemInfo.DescribeCall) async throws {
    call.reply {
      let description = $0.initDescription()
      description.hostname = hostname
      description.software = software
      description.uptimeSeconds = UInt64(clamping: (.now - booted).components.seconds)
    }
  }
}

/// What a session may know of itself, and its end.
final class UserSessionServer: UserSession.Server {
  private let session: SessionContext

  init(_ session: SessionContext) { self.session = session }

  func info(_ call: UserSession.InfoCall) async throws {
    call.reply {
      let info = $0.initInfo()
      info.account = session.account
      info.profile = session.profile
      info.method = session.method
      info.ageSeconds = UInt64(clamping: (.now - session.began).components.seconds)
    }
  }

  func logout(_ call: UserSession.LogoutCall) async throws {
    try await session.control?.end { $0.reason = "it was logged out" }.finished()
  }
}
