import NIOCore

/// Keeps the time that is spent in vain to a part of all time, whatever the peer does.
struct PollingBudget {
  /// By when what was spent is made up for.
  private var evenAt = NIODeadline.uptimeNanoseconds(0)
  /// What is spent is made up for in so many times as long; nil if nothing has to be.
  private let factor: Int64?

  init(factor: Int64?) { self.factor = factor }

  /// What may be spent before anything is made up for: several tries, as two ends that both sleep may
  /// miss each other's first messages.
  private static let burst = TimeAmount.milliseconds(64)

  /// Whether more may be spent now.
  func allowsMore(at now: NIODeadline) -> Bool { evenAt <= now + Self.burst }

  /// Time was spent: in vain, or beyond what it takes to be woken.
  mutating func spend(_ time: TimeAmount, at now: NIODeadline, isInVain: Bool) {
    let lost = isInVain ? time : time - Self.wakeUp
    guard let factor, lost > .zero else { return }
    evenAt = max(evenAt, now) + factor * lost
  }

  private static let wakeUp = TimeAmount.microseconds(100)
}
