import Synchronization

/// Failed logins of each host to each account, over all of the host's connections: a new connection
/// brings no new attempts.
///
/// An attempt counts from its beginning, so that many at once do not pass together, and is taken
/// back if it succeeds. The table is bounded: where it is full, what would be forgotten first makes
/// room.
final class LoginThrottle: Sendable {
  /// What is guessed at, and from where.
  struct Guessed: Hashable, Sendable {
    private let host: String
    private let account: String

    /// Of the account's name, which is the peer's text, the beginning is enough.
    init(host: String, account: String) {
      self.host = host
      self.account = String(String.UnicodeScalarView(account.unicodeScalars.prefix(64)))
    }
  }

  /// How long it takes until there is one failed login less.
  static let pace = Duration.seconds(10)
  /// Pairs of host and account that are remembered.
  static let memory = 1024

  private let limit: Int
  private let now: @Sendable () -> ContinuousClock.Instant
  private let guesses = Mutex<[Guessed: LeakyBucket]>([:])

  /// - Parameters:
  ///   - limit: failed logins of one host to one account at once.
  ///   - now: the clock.
  init(
    limit: Int, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.limit = limit
    self.now = now
  }

  /// Counts an attempt in; if it may not be made, how long it has to wait.
  func begin(_ guessed: Guessed) -> Duration? {
    let now = now()
    return guesses.withLock { guesses in
      var bucket = guesses[guessed] ?? LeakyBucket(capacity: limit, pace: Self.pace, now: now)
      if let wait = bucket.add(at: now) { return wait }
      if guesses[guessed] == nil, guesses.count >= Self.memory { Self.makeRoom(&guesses, now) }
      guesses[guessed] = bucket
      return nil
    }
  }

  /// The attempt that was counted in did not fail.
  func takeBack(_ guessed: Guessed) { guesses.withLock { $0[guessed]?.takeBack() } }

  /// How many pairs of host and account are remembered.
  var count: Int { guesses.withLock { $0.count } }

  private static func makeRoom(
    _ guesses: inout [Guessed: LeakyBucket], _ now: ContinuousClock.Instant
  ) {
    guesses = guesses.filter { !$0.value.isEmpty(at: now) }
    guard guesses.count >= memory else { return }
    if let first = guesses.min(by: { $0.value.isEmptyBefore($1.value) }) {
      guesses[first.key] = nil
    }
  }
}
