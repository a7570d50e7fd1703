// How much of a stream may be on its way: a state machine that is told the time.
//
// The window starts small. A write that fills it begins a round, which ends when that write is
// acknowledged: by then so is all that was on its way before. If that was clearly more bytes per second
// than in any round before, the window was what held the stream back, and it doubles. If it was no
// more, a larger window would only fill the object's queue, and the window stays. It never shrinks, as
// a path that is idle for a while is no slower for it.

package import CapTP

/// How much of a stream is on its way, and how much may be.
package struct FlowWindow: Sendable {
  private var limits: StreamLimits
  /// Bytes that may be on their way before writers wait.
  package private(set) var bytes: Int
  /// Bytes of the writes that are not acknowledged.
  package private(set) var bytesInFlight = 0
  private(set) var callsInFlight = 0
  /// Bytes of the longest write.
  private var longest = 0
  /// Bytes in a second of the fastest round.
  private var bestRate = 0.0
  private var round: Round?

  private struct Round {
    /// The write that began it and ends it, and when it was sent.
    let write: Int
    let start: ContinuousClock.Instant
    /// What was on its way then.
    let bytes: Int
  }
  /// Writes that were sent.
  private var writes = 0

  package init(_ limits: StreamLimits) {
    self.limits = limits
    bytes = limits.initialBytes
  }

  /// Keeps to other limits from now on. A window that has not grown is as large as they begin with.
  package mutating func adopt(_ limits: StreamLimits) {
    guard limits != self.limits else { return }
    let isGrown = bytes != self.limits.initialBytes
    bytes = isGrown ? min(bytes, limits.maximumBytes) : limits.initialBytes
    self.limits = limits
  }

  /// Whether a writer may go on. The longest write is added to the window, as one that is longer than
  /// it would otherwise have the path to itself.
  package var hasRoom: Bool {
    if callsInFlight == 0 { return true }
    guard callsInFlight < limits.calls else { return false }
    return bytesInFlight <= longest || bytesInFlight - longest < bytes
  }

  /// Notes a write.
  ///
  /// - Returns: its number.
  package mutating func send(_ count: Int, at now: ContinuousClock.Instant) -> Int {
    writes += 1
    bytesInFlight += count
    callsInFlight += 1
    longest = max(longest, count)
    if round == nil, !hasRoom { round = Round(write: writes, start: now, bytes: bytesInFlight) }
    return writes
  }

  /// Notes that a write has been acknowledged.
  package mutating func acknowledge(_ write: Int, _ count: Int, at now: ContinuousClock.Instant) {
    bytesInFlight -= count
    callsInFlight -= 1
    guard let ended = round, ended.write == write else { return }
    round = nil
    let time = now - ended.start
    guard time > .zero else { return }
    let rate = Double(ended.bytes) / (time / .seconds(1))
    guard rate > bestRate * 1.25 else { return }
    bestRate = rate
    let (doubled, isTooMuch) = bytes.multipliedReportingOverflow(by: 2)
    bytes = max(bytes, isTooMuch ? limits.maximumBytes : min(doubled, limits.maximumBytes))
  }
}
