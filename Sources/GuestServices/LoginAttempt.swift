import CapnProto
import RemoteSessionSchema

/// A login as it was asked for. It holds the proof, so it is never logged as a whole.
struct LoginAttempt: Sendable {
  enum Proof: Sendable {
    case password(account: String, password: [UInt8])
    case anonymous
    /// None that is known.
    case none(LoginMethod)
  }
  /// A password's length, in bytes: hashing a longer one would cost more than a login is worth.
  static let passwordLimit = 1024

  let proof: Proof
  let profile: String

  init(_ request: LoginRequest.Reader) throws {
    profile = try request.profile.string
    switch try request.which {
    case .password(let credentials):
      proof = .password(
        account: try credentials.account.string, password: try credentials.password.bytesArray)
    case .anonymous: proof = .anonymous
    case .unspecified: proof = .none(.unspecified)
    case .unknown(let number): proof = .none(.unknown(number))
    }
  }

  /// A request that cannot be decoded.
  static let unreadable = LoginAttempt(proof: .none(.unreadable), profile: "")

  private init(proof: Proof, profile: String) {
    self.proof = proof
    self.profile = profile
  }

  /// What it names as its method.
  var method: LoginMethod {
    switch proof {
    case .password: .kind(.password)
    case .anonymous: .kind(.anonymous)
    case .none(let method): method
    }
  }
}

extension TextReader {
  fileprivate var bytesArray: [UInt8] {
    let bytes = bytes
    return bytes.indices.map { bytes[$0] }
  }
}
