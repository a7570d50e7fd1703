/// Counts events that are forgotten again, one after the other, at a steady pace.
struct LeakyBucket: Sendable {
  /// How many events it holds.
  let capacity: Int
  /// How long it takes to forget one.
  let pace: Duration
  /// When it will be empty; before that, it holds one event for each `pace` that is left.
  private var empty: ContinuousClock.Instant

  init(capacity: Int, pace: Duration, now: ContinuousClock.Instant) {
    self.capacity = capacity
    self.pace = pace
    empty = now
  }

  /// Adds an event; if there is no room for it, how long it takes until there is.
  mutating func add(at now: ContinuousClock.Instant) -> Duration? {
    let filled = max(empty, now) + pace
    let wait = filled - (now + pace * capacity)
    guard wait <= .zero else { return wait }
    empty = filled
    return nil
  }

  /// Takes back an event that was added.
  mutating func takeBack() { empty -= pace }

  /// Whether it has forgotten everything.
  func isEmpty(at now: ContinuousClock.Instant) -> Bool { empty <= now }

  /// Of two buckets of one pace, whether this one is empty first.
  func isEmptyBefore(_ other: LeakyBucket) -> Bool { empty < other.empty }
}
