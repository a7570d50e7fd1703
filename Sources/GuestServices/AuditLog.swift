import CapnProto
import RemoteSessionSchema

/// One line for each decision about who may do what. It never holds a secret.
public struct AuditLog: Sendable {
  private let write: @Sendable (String) -> Void

  /// A log that gives each line to the body. Text that came from a peer is quoted.
  public init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

  /// How a login ended.
  enum Outcome {
    /// With a session of the profile.
    case admitted(profile: String)
    case denied(LoginDenial.Reason)
    /// Without a decision: something that the guest needs for one was not to be had.
    case failed(reason: String)
  }

  /// The attempt is one login, or the last one of so many that were denied.
  func login(
    _ method: LoginMethod, requested profile: String, from source: LoginOrigin, _ outcome: Outcome,
    attempts: UInt32 = 1
  ) {
    let words =
      switch outcome {
      case .admitted(let granted): "admitted granted=\(Self.quoted(granted))"
      case .denied(let reason): "denied(\(reason))"
      case .failed(let reason): "failed reason=\(Self.quoted(reason))"
      }
    write(
      "audit: login method=\(method) requested=\(Self.quoted(profile)) outcome=\(words)"
        + (attempts == 1 ? "" : " attempts=\(attempts)") + Self.fields(source))
  }

  func ended(_ context: SessionContext, reason: String) {
    write(
      "audit: session-end method=\(context.method) profile=\(Self.quoted(context.profile)) "
        + "reason=\(Self.quoted(reason))" + Self.fields(context.origin))
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
