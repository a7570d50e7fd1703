import CapnProto
import RemoteSessionSchema

/// One line for each decision about who may do what. It never holds a secret.
public struct AuditLog: Sendable {
  private let write: @Sendable (String) -> Void

  /// A log that gives each line to the body. Text that came from a peer is quoted.
  public init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

  func login(
    _ method: AuthMethodKind, profile: String, from source: LoginOrigin, outcome: String
  ) {
    write(
      "audit: login method=\(method) profile=\(Self.quoted(profile)) outcome=\(outcome) "
        + "source=\(source.address) connection=\(source.event)")
  }

  func ended(_ context: SessionContext, reason: String) {
    write(
      "audit: session-end method=\(context.method) profile=\(Self.quoted(context.profile)) "
        + "reason=\(Self.quoted(reason)) source=\(context.origin.address) "
        + "connection=\(context.origin.event)")
  }

  /// The text between quotation marks, so that it cannot be taken for another field of the line.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars.prefix(64) {
      let isPlain = scalar.value >= 0x20 && scalar.value < 0x7f && scalar != "\"" && scalar != "\\"
      quoted.unicodeScalars.append(isPlain ? scalar : "?")
    }
    return quoted + "\""
  }
}

/// Where a login came from, as the gateway derived it.
struct LoginOrigin: Sendable {
  let address: String
  let event: UInt64

  init(_ source: LoginSource.Reader) throws {
    address = try source.address.string
    event = source.connectionEvent
  }
}
