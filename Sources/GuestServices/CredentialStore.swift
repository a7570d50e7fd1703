import CapnProtoRPC
import Dispatch
import Synchronization

/// Checks passwords: one at a time, on a thread of its own, as each check takes long on purpose.
///
/// How many checks wait, and how many are made in a minute, is bounded: whoever asks for more is
/// told that the guest is overloaded, and nothing about the password.
public final class CredentialStore: Sendable {
  /// Checks that wait for their turn, or are being made.
  static let queueLimit = 16

  private struct State {
    var waiting = 0
    var checks: LeakyBucket
  }
  private let accounts: [String: SystemManifest.Account]
  private let stranger: PasswordVerifier
  private let queue = DispatchQueue(label: "credential-store")
  private let state: Mutex<State>

  /// A store of the manifest's accounts.
  public init(_ manifest: SystemManifest) {
    accounts = Dictionary(
      manifest.accounts.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    // An account that does not exist costs as much as one that does.
    stranger =
      manifest.accounts.lazy.compactMap(\.password).first?.disarmed ?? .unmatchable
    // A manifest that was read has one at least; of one that was changed nobody knows.
    let checks = max(1, manifest.passwordChecksPerMinute)
    state = Mutex(
      State(checks: LeakyBucket(capacity: checks, pace: .seconds(60) / checks, now: .now)))
  }

  /// The account, if the password is its own. It takes as long for an unknown account.
  ///
  /// - Throws: `RPCError` of kind `overloaded` if too many checks are asked for.
  func account(
    named name: String, password: [UInt8]
  ) async throws(RPCError) -> SystemManifest.Account? {
    if let problem = state.withLock({ Self.begin(&$0) }) { throw .overloaded(problem) }
    let account = accounts[name]
    let verifier = account?.password ?? stranger
    let matches = await withCheckedContinuation { continuation in
      queue.async {
        let matches = verifier.matches(password)
        self.state.withLock { $0.waiting -= 1 }
        continuation.resume(returning: matches)
      }
    }
    return matches ? account : nil
  }

  private static func begin(_ state: inout State) -> String? {
    guard state.waiting < queueLimit else {
      return "\(queueLimit) logins wait for their passwords to be checked; try again later"
    }
    if let wait = state.checks.add(at: .now) {
      return "too many passwords were checked within a minute; try again in "
        + "\(wait.components.seconds + 1) s"
    }
    state.waiting += 1
    return nil
  }
}
