/// When a lost connection is made again, and how often that is tried.
public struct ReconnectPolicy: Sendable {
  /// What a connection is made for after one was lost.
  public enum Trigger: Hashable, Sendable {
    /// The next call.
    case call
    /// The loss itself, after the wait that follows a first attempt that failed.
    case loss
  }

  /// What a connection is made for after one was lost. The first one is made for the first call.
  public var trigger = Trigger.call
  /// The longest wait after the first attempt that failed.
  ///
  /// A connection that has not lasted as long as ``maximumDelay`` counts as such an attempt, except that
  /// the first call after one such connection does not wait.
  public var initialDelay = Duration.milliseconds(100)
  /// The longest wait after any attempt.
  public var maximumDelay = Duration.seconds(30)
  /// How much longer each wait may be than the one before.
  public var multiplier = 2.0
  /// What part of each wait is random, from 0 to 1, so that clients which lost one server do not all
  /// come back at once.
  public var jitter = 0.5
  /// Attempts to connect, in a row, after which no more are made and each call fails.
  public var attemptLimit = Int.max
  /// How long one attempt may take, until the peer has given its object; nil for as long as it likes.
  public var attemptTimeout: Duration? = .seconds(30)
  /// How long a call may take that was not given a time of its own, from when it is made, wherever it
  /// waits; nil for the time of the connection that it is made on (`ConnectionLimits.callTimeout`),
  /// which does not hold for calls that wait for one.
  public var callTimeout: Duration?
  /// Calls that may wait for a connection. One more fails as `overloaded`.
  public var queuedCalls = 1024
  /// Whether another attempt is worth making after this error. Without, each call fails with it from
  /// then on.
  ///
  /// By default it is not after `failed`, which is what waiting does not mend: a certificate that is
  /// refused, a peer that speaks something else, a host that does not exist.
  public var retries: @Sendable (RPCError) -> Bool = { error in
    error.kind == .disconnected || error.kind == .overloaded
  }

  /// A policy that goes on for ever, at most every half minute.
  public init() {}

  /// The wait after an attempt that failed.
  ///
  /// - Parameters:
  ///   - attempt: which attempt it was, in a row of those that failed, from 1.
  ///   - random: a number from 0 to 1, which decides on the random part.
  /// - Returns: the wait, from 0 to ``maximumDelay``.
  public func delay(after attempt: Int, random: Double) -> Duration {
    let longest = Self.seconds(maximumDelay.bounded)
    var seconds = Self.seconds(initialDelay.bounded)
    // Step by step, so that nothing overflows. What has not reached the maximum by then stays there.
    for _ in 1..<min(max(attempt, 1), 1000) {
      guard seconds > 0, seconds < longest, multiplier > 1 else { break }
      seconds *= multiplier
    }
    let part = min(max(jitter, 0), 1) * min(max(random, 0), 1)
    return .seconds(min(seconds, longest) * (1 - part))
  }

  private static func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }
}
