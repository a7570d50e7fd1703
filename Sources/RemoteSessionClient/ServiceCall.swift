import CapnProto
import CapnProtoRPC
import RemoteSessionSchema

/// The calls that can be made by a simple name, for people and scripts.
public enum ServiceCall: String, CaseIterable, Sendable {
  /// The operator's message.
  case motd = "systemInfo.motd"
  /// What the guest is.
  case describe = "systemInfo.describe"
  /// What the session is.
  case info = "session.info"
  /// Says a line: the room, then the text.
  case chatSend = "chat.send"

  /// The words that follow the name.
  public var parameters: [String] { self == .chatSend ? ["ROOM", "TEXT"] : [] }

  /// Makes the call.
  ///
  /// - Parameters:
  ///   - session: the session that has the capability.
  ///   - words: as many as ``parameters``.
  /// - Returns: the results, a name and a text each.
  /// - Throws: ``CapabilityDenied``, ``ChatDenied`` or `RPCError`.
  public func make(
    on session: SessionClient, _ words: [String]
  ) async throws -> [(name: String, text: String)] {
    try await withDeadline(session.patience, rawValue) { try await results(of: session, words) }
  }

  private func results(
    of session: SessionClient, _ words: [String]
  ) async throws -> [(name: String, text: String)] {
    switch self {
    case .motd:
      let system = try await session.get("systemInfo", as: SystemInfo.Client.self)
      let results = try await system.motd().results()
      return [("text", try results.reader.text.string)]
    case .describe:
      let system = try await session.get("systemInfo", as: SystemInfo.Client.self)
      let results = try await system.describe().results()
      let description = try results.reader.description
      return [
        ("hostname", try description.hostname.string),
        ("software", try description.software.string),
        ("uptimeSeconds", String(description.uptimeSeconds)),
      ]
    case .info:
      let user = try await session.get("session", as: UserSession.Client.self)
      let results = try await user.info().results()
      let info = try results.reader.info
      return [
        ("account", try info.account.string), ("profile", try info.profile.string),
        ("method", "\(info.method)"), ("ageSeconds", String(info.ageSeconds)),
      ]
    case .chatSend:
      guard words.count == 2 else {
        throw RPCError.failed("\(rawValue) takes \(parameters.joined(separator: " and "))")
      }
      try await session.join(words[0]).say(words[1])
      return [("said", words[1])]
    }
  }
}
