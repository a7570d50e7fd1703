import Synchronization

/// Failed logins of each host, over all of its connections: a new connection brings no new attempts.
///
/// An attempt counts from its beginning, so that many at once do not pass together, and is taken
/// back if it succeeds. The table is bounded: where it is full, the host that would be forgotten
/// first makes room.
final class LoginThrottle: Sendable {
  /// How long it takes until a host has one failed login less.
  static let pace = Duration.seconds(10)
  /// Hosts that are remembered.
  static let hostLimit = 1024

  private let limit: Int
  private let now: @Sendable () -> ContinuousClock.Instant
  private let hosts = Mutex<[String: LeakyBucket]>([:])

  /// - Parameters:
  ///   - limit: failed logins of one host at once.
  ///   - now: the clock.
  init(
    limit: Int, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.limit = limit
    self.now = now
  }

  /// Counts an attempt in; if the host may not make it, how long it has to wait.
  func begin(_ host: String) -> Duration? {
    let now = now()
    return hosts.withLock { hosts in
      var bucket = hosts[host] ?? LeakyBucket(capacity: limit, pace: Self.pace, now: now)
      if let wait = bucket.add(at: now) { return wait }
      if hosts[host] == nil, hosts.count >= Self.hostLimit { Self.makeRoom(&hosts, now) }
      hosts[host] = bucket
      return nil
    }
  }

  /// The attempt that was counted in did not fail.
  func succeeded(_ host: String) { hosts.withLock { $0[host]?.takeBack() } }

  /// How many hosts are remembered.
  var count: Int { hosts.withLock { $0.count } }

  private static func makeRoom(
    _ hosts: inout [String: LeakyBucket], _ now: ContinuousClock.Instant
  ) {
    hosts = hosts.filter { !$0.value.isEmpty(at: now) }
    guard hosts.count >= hostLimit else { return }
    if let first = hosts.min(by: { $0.value.isEmptyBefore($1.value) }) {
      hosts[first.key] = nil
    }
  }
}
