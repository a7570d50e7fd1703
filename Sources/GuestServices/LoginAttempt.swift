import CapnProto
import RemoteSessionSchema

/// A login as it was asked for. It holds the proof, so it is never logged as a whole.
struct LoginAttempt: Sendable {
  enum Proof: Sendable {
    case password(account: String, password: [UInt8])
    case anonymous
  }
  /// Nil if the request names no method that is known.
  let proof: Proof?
  let profile: String
  let origin: LoginOrigin
  let control: SessionControl.Client?

  init(_ params: SessionManager.LoginParams.Reader) throws {
    let request = try params.request
    profile = try request.profile.string
    origin = try LoginOrigin(params.source)
    control = try params.control
    switch try request.which {
    case .password(let credentials):
      proof = .password(
        account: try credentials.account.string, password: try credentials.password.bytesArray)
    case .anonymous: proof = .anonymous
    case .unspecified, .unknown: proof = nil
    }
  }

  /// The method for the log; a password where none was named.
  var method: AuthMethodKind {
    if case .anonymous = proof { .anonymous } else { .password }
  }
}

extension TextReader {
  fileprivate var bytesArray: [UInt8] {
    let bytes = bytes
    return bytes.indices.map { bytes[$0] }
  }
}

/// Which methods this guest can admit by, and why not by the others.
enum MethodPolicy {
  static let kinds: [AuthMethodKind] = [
    .password, .anonymous, .publicKey, .oidcDeviceCode, .oidcBrowser, .passkey, .mutualTls,
    .workload, .localSetup,
  ]

  /// In words; nil if the method is enabled.
  static func whyDisabled(_ kind: AuthMethodKind, admitsToProfiles: Bool) -> String? {
    switch kind {
    case .password, .anonymous:
      admitsToProfiles ? nil : "no profile of the boot manifest admits this method"
    case .publicKey: "this guest keeps no public keys of accounts"
    case .oidcDeviceCode, .oidcBrowser: "this guest is bound to no identity provider"
    case .passkey: "this guest keeps no passkeys, and has no web gateway to use them through"
    case .mutualTls: "this guest's listener does not speak TLS"
    case .workload: "this guest admits no service credentials"
    case .localSetup: "the boot manifest grants no setup authority"
    case .unknown: "this guest does not know the method"
    }
  }
}
