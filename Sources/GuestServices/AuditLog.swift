import CapnProto
import CapnProtoRPC
import RemoteSessionSchema
import Synchronization

/// One line for each decision about who may do what. It never holds a secret.
///
/// The log fails closed: a login whose line cannot be written is not answered with its decision but
/// with an error, and admits nobody. A line of the end of a session that cannot be written is
/// counted, and the count is written before the next line that can be.
public final class AuditLog: Sendable {
  private struct State {
    /// Lines that could not be written since the last one that could.
    var lost: UInt64 = 0
    /// Why no login is written any more; nil while logins are.
    var closed: String?
    /// Sessions that were admitted and whose end has no line yet.
    var openSessions = 0
  }
  private let write: @Sendable (String) throws -> Void
  private let state = Mutex(State())

  /// Creates a log.
  ///
  /// - Parameter write: Writes a line, or throws if the line could not be written. Text of a peer
  ///   is quoted in it. It is called for one line at a time.
  public init(_ write: @escaping @Sendable (_ line: String) throws -> Void) { self.write = write }

  /// Fails every login from now on, so that no session begins whose end would have no line.
  ///
  /// - Parameter reason: What peers get as the reason.
  public func close(_ reason: String) { state.withLock { $0.closed = reason } }

  /// The number of sessions that were admitted and whose end has no line yet.
  public var openSessions: Int { state.withLock { $0.openSessions } }

  /// How a login ended.
  enum Outcome {
    /// With a session of the profile.
    case admitted(profile: String)
    case denied(LoginDenial.Reason)
    /// Without a decision: something that the guest needs for one was not to be had.
    case failed(reason: String)
  }

  /// The attempt is one login, or the last one of so many that were denied.
  ///
  /// - Throws: `RPCError` if the line cannot be written, whatever the outcome: who asks learns
  ///   nothing of a decision that is not logged.
  func login(
    _ method: LoginMethod, requested profile: String, from source: LoginOrigin, _ outcome: Outcome,
    attempts: UInt32 = 1
  ) throws(RPCError) {
    let words =
      switch outcome {
      case .admitted(let granted): "admitted granted=\(Self.quoted(granted))"
      case .denied(let reason): "denied(\(reason))"
      case .failed(let reason): "failed reason=\(Self.quoted(reason))"
      }
    let line =
      "audit: login method=\(method) requested=\(Self.quoted(profile)) outcome=\(words)"
      + (attempts == 1 ? "" : " attempts=\(attempts)") + Self.fields(source)
    let problem: RPCError? = state.withLock { state in
      if case .admitted = outcome {
        if let reason = state.closed { return .disconnected(reason) }
        guard append(line, &state) else { return Self.unwritable }
        state.openSessions += 1
        return nil
      }
      return append(line, &state) ? nil : Self.unwritable
    }
    if let problem { throw problem }
  }

  /// Writes the line of the end of a session that was admitted.
  func ended(_ context: SessionContext, reason: String) {
    let line =
      "audit: session-end method=\(context.method) profile=\(Self.quoted(context.profile)) "
      + "reason=\(Self.quoted(reason))" + Self.fields(context.origin)
    state.withLock { state in
      state.openSessions -= 1
      _ = append(line, &state)
    }
  }

  private static let unwritable = RPCError.failed(
    "the guest cannot write its audit log, and takes no logins until it can")

  /// Writes the line, behind the number of those that could not be written before it.
  ///
  /// - Returns: Whether the line was written.
  private func append(_ line: String, _ state: inout State) -> Bool {
    do {
      if state.lost > 0 {
        try write("audit: lost lines=\(state.lost)")
        state.lost = 0
      }
      try write(line)
      return true
    } catch {
      state.lost += 1
      return false
    }
  }

  private static func fields(_ source: LoginOrigin) -> String {
    " source=\(plain(source.address)) connection=\(source.event)"
  }

  /// The text between quotation marks, so that it cannot be taken for another field of the line.
  private static func quoted(_ text: String) -> String { "\"\(plain(text))\"" }

  /// At most 64 characters of the text, none of them one that could end a field.
  private static func plain(_ text: String) -> String {
    var plain = ""
    for scalar in text.unicodeScalars.prefix(64) {
      let isPlain = scalar.value >= 0x20 && scalar.value < 0x7f && scalar != "\"" && scalar != "\\"
      plain.unicodeScalars.append(isPlain ? scalar : "?")
    }
    return plain
  }
}

/// What a login names as its method, as far as that can be told.
enum LoginMethod: Sendable, CustomStringConvertible {
  case kind(AuthMethodKind)
  /// It names none.
  case unspecified
  /// It names one that this guest's schema does not have.
  case unknown(UInt16)
  /// The request cannot be decoded.
  case unreadable

  var description: String {
    switch self {
    case .kind(let kind): "\(kind)"
    case .unspecified: "none"
    case .unknown(let number): "unknown(\(number))"
    case .unreadable: "unreadable"
    }
  }

  init(_ method: AttemptedMethod.Reader) {
    switch try? method.which {
    case .kind(let kind): self = .kind(kind)
    case .unspecified: self = .unspecified
    case .other(let number): self = .unknown(number)
    case .unreadable, .unknown, nil: self = .unreadable
    }
  }
}

/// Where a login came from, as the gateway derived it.
struct LoginOrigin: Sendable {
  let address: String
  /// What the failed logins of all of a peer's connections are counted by.
  let host: String
  let event: UInt64

  init(_ source: LoginSource.Reader) throws {
    address = try source.address.string
    host = try source.host.string
    event = source.connectionEvent
  }
}
