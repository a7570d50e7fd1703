import CapnProto
import CapnProtoRPC
import RemoteSessionSchema

/// What a login asked for, without its proof.
struct Attempt: Sendable {
  private enum Method {
    case unreadable, unspecified
    case kind(AuthMethodKind)
    case other(UInt16)
  }
  private let method: Method
  private let profile: String

  /// A request that cannot be decoded.
  static let unreadable = Attempt(.unreadable, "")

  init(_ kind: AuthMethodKind, profile: String) { self.init(.kind(kind), profile) }

  /// As much of the request as can be decoded; nil if there is none.
  init(_ request: LoginRequest.Reader?) {
    guard let request, let which = try? request.which else {
      self = .unreadable
      return
    }
    let method: Method =
      switch which {
      case .unspecified: .unspecified
      case .password: .kind(.password)
      case .anonymous: .kind(.anonymous)
      case .unknown(let number): .other(number)
      }
    self.init(method, (try? request.profile.shortened) ?? "")
  }

  private init(_ method: Method, _ profile: String) {
    self.method = method
    self.profile = profile
  }

  func write(to attempt: DeniedAttempt.Builder) {
    attempt.profile = profile
    let method = attempt.initMethod()
    switch self.method {
    case .unreadable: method.setUnreadable()
    case .unspecified: method.setUnspecified()
    case .kind(let kind): method.kind = kind
    case .other(let number): method.other = number
    }
  }
}

/// Attempts that the gateway denied, of which the last one is known.
struct DeniedAttempts: Sendable {
  let last: Attempt
  let reason: LoginDenial.Reason
  var count: UInt32 = 1
}

/// Attempts over a connection's limits. The first few are noted one by one; the others together,
/// in ever larger numbers, so that they neither flood a log nor escape it.
struct ExcessAttempts: Sendable {
  private static let notedOneByOne = 3
  private var total = 0
  private var threshold: UInt32 = 10
  /// What is not noted yet.
  private(set) var pending: DeniedAttempts?

  /// Counts the attempt; what is now to be noted.
  mutating func add(_ attempt: DeniedAttempts) -> DeniedAttempts? {
    if total < Self.notedOneByOne {
      total += 1
      return attempt
    }
    var attempts = attempt
    attempts.count = (pending?.count ?? 0) + 1
    guard attempts.count >= threshold else {
      pending = attempts
      return nil
    }
    pending = nil
    threshold = threshold.multipliedReportingOverflow(by: 10).overflow ? .max : threshold * 10
    return attempts
  }

  /// What is not noted yet, which then is.
  mutating func takePending() -> DeniedAttempts? {
    defer { pending = nil }
    return pending
  }
}

extension TextReader {
  /// A copy of at most 64 Unicode scalars, for messages and logs.
  var shortened: String {
    let scalars = string.unicodeScalars
    let shortened = String(String.UnicodeScalarView(scalars.prefix(64)))
    return scalars.dropFirst(64).isEmpty ? shortened : shortened + "…"
  }
}
