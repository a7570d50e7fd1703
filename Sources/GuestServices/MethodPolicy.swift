import RemoteSessionSchema

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
