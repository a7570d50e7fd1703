import NIOCore

/// Tells from the time what a peer's silence calls for.
struct SilenceClock {
  /// What is to be done.
  enum Action: Equatable {
    /// To look again at that time.
    case wait(NIODeadline)
    /// To ask the peer for a sign of life, and to look again at that time.
    case ping(NIODeadline)
    /// To give the peer up.
    case end
  }

  private let pingAfter: TimeAmount?
  private let limit: TimeAmount?
  private var lastHeard: NIODeadline
  /// When the peer was asked since it was heard.
  private var lastAsked: NIODeadline?

  /// - Parameters:
  ///   - pingAfter: how long until a peer is asked that is not heard, and asked again; nil for never.
  ///   - limit: how long a peer may not be heard; nil for as long as it likes.
  ///   - now: the time.
  init(pingAfter: Duration?, limit: Duration?, now: NIODeadline) {
    // A time of nothing would ask or look for ever.
    self.pingAfter = pingAfter.map { TimeAmount(max($0, .milliseconds(1))) }
    self.limit = limit.map { TimeAmount(max($0, .milliseconds(1))) }
    lastHeard = now
  }

  /// Something came from the peer, or it cannot be heard as it is not read.
  mutating func heard(at now: NIODeadline) {
    lastHeard = now
    lastAsked = nil
  }

  mutating func action(at now: NIODeadline) -> Action {
    if let limit, now >= lastHeard + limit { return .end }
    guard let pingAfter else { return .wait(lastHeard + (limit ?? .hours(1))) }
    let due = (lastAsked ?? lastHeard) + pingAfter
    guard now >= due else { return .wait(earlier(due)) }
    lastAsked = now
    return .ping(earlier(now + pingAfter))
  }

  /// The time, or when the peer is given up if that is before it.
  private func earlier(_ time: NIODeadline) -> NIODeadline {
    limit.map { min(time, lastHeard + $0) } ?? time
  }
}
