import CapnProto
import CapnProtoRPC
import RemoteSessionSchema

/// The session as its holder calls it, within the session's membrane.
final class RemoteSessionServer: RemoteSession.Server {
  private let session: LiveSession

  init(_ session: LiveSession) { self.session = session }

  func info(_ call: RemoteSession.InfoCall) async throws {
    let admission = try session.admission()
    try call.reply {
      try $0.setInfo(admission.reader.admission.info)
      $0.info.expiresInSeconds = session.secondsLeft
    }
  }

  func capSet(_ call: RemoteSession.CapSetCall) async throws {
    call.reply { $0.capSet = .server(RemoteCapSetServer(session)) }
  }

  func logout(_ call: RemoteSession.LogoutCall) async throws { session.end("it was logged out") }
}

/// The capabilities of a session, by name, within the session's membrane.
final class RemoteCapSetServer: RemoteCapSet.Server {
  private let session: LiveSession

  init(_ session: LiveSession) { self.session = session }

  func list(_ call: RemoteCapSet.ListCall) async throws {
    let admission = try session.admission()
    try call.reply { results in
      let grants = try admission.reader.admission.grants
      let entries = results.initEntries(grants.count)
      for index in grants.indices {
        let entry = try grants[index].entry
        entries[index].name = try entry.name.string
        entries[index].interfaceId = entry.interfaceId
        entries[index].interfaceName = try entry.interfaceName.string
        entries[index].lease = entry.lease
      }
    }
  }

  func get(_ call: RemoteCapSet.GetCall) async throws {
    let admission = try session.admission()
    let name = try call.params.name.string
    let interfaceID = try call.params.interfaceId
    if let grant = try Self.grant(name, in: admission) {
      if grant.interfaceID == interfaceID {
        call.reply { $0.cap = grant.capability }
      } else {
        let has = Self.words(grant.interfaceID, grant.interfaceName)
        let asked = Self.words(interfaceID, Self.known[interfaceID])
        call.reply {
          let denial = $0.initDenial()
          denial.reason = .wrongInterface
          denial.text = "'\(name)' is a \(has), and no \(asked), which was asked for"
        }
      }
      return
    }
    let shortened = try call.params.name.shortened
    call.reply {
      let denial = $0.initDenial()
      denial.reason = .unknownName
      denial.text = "this session has no capability named '\(shortened)'"
    }
  }

  private struct Granted {
    let interfaceID: UInt64
    let interfaceName: String
    let capability: Capability?
  }

  private static func grant(
    _ name: String, in admission: Ref<SessionManager.LoginResults.Reader>
  ) throws -> Granted? {
    try admission.reader.admission.grants.map { grant -> Granted? in
      guard try grant.entry.name == name else { return nil }
      return Granted(
        interfaceID: try grant.entry.interfaceId,
        interfaceName: try grant.entry.interfaceName.string, capability: try grant.cap)
    }.lazy.compactMap(\.self).first
  }

  private static func words(_ id: UInt64, _ name: String?) -> String {
    let digits = "0x" + String(id, radix: 16)
    return name.map { "\($0) (\(digits))" } ?? "\(digits) (an interface that is not known here)"
  }

  /// Interfaces of the contract, to name what was asked for.
  private static let known: [UInt64: String] = Dictionary(
    [
      Chat._interface, ChatRoom._interface, RemoteCapSet._interface, RemoteSession._interface,
      RemoteSessionGateway._interface, SystemInfo._interface, UserSession._interface,
    ].map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
}
