import Dispatch

/// Checks passwords: one at a time, on a thread of its own, as each check takes long on purpose.
public final class CredentialStore: Sendable {
  private let accounts: [String: SystemManifest.Account]
  private let stranger: PasswordVerifier
  private let queue = DispatchQueue(label: "credential-store")

  /// A store of the manifest's accounts.
  public init(_ manifest: SystemManifest) {
    accounts = Dictionary(
      manifest.accounts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    // An account that does not exist costs as much as one that does.
    stranger =
      manifest.accounts.lazy.compactMap(\.password).first?.disarmed ?? .unmatchable
  }

  /// The account, if the password is its own. It takes as long for an unknown account.
  func account(named name: String, password: [UInt8]) async -> SystemManifest.Account? {
    let account = accounts[name]
    let verifier = account?.password ?? stranger
    let matches = await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: verifier.matches(password)) }
    }
    return matches ? account : nil
  }
}
