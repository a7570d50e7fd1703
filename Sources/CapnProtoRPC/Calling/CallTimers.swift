// A task that sleeps stays in memory until its time is over, even if it is cancelled, and most calls,
// sessions and connections end long before theirs. So all of them share a timer: what is kept for one
// goes with it, and one task sleeps until the first of the deadlines.

import HeapModule
import Synchronization

/// Notifies calls, sessions and whatever else has a deadline that its time is over.
package final class CallTimers: Sendable {
  /// A timer that was started.
  package typealias ID = UInt64

  private struct Deadline: Comparable {
    let instant: ContinuousClock.Instant
    let id: ID

    static func < (one: Deadline, other: Deadline) -> Bool {
      (one.instant, one.id) < (other.instant, other.id)
    }
  }
  private struct State {
    /// What timers do that have not gone off nor been stopped.
    var bodies: [ID: @Sendable () -> Void] = [:]
    /// Theirs, and some of timers that were stopped: not many more than those.
    var deadlines = Heap<Deadline>()
    var lastID: ID = 0
    /// When the tasks that sleep wake up, the next one last.
    var sleepers: [ContinuousClock.Instant] = []

    /// The instant for which a task must go to sleep, if none that sleeps wakes up in time.
    mutating func nextSleeper() -> ContinuousClock.Instant? {
      guard let next = deadlines.min?.instant, sleepers.last.map({ next < $0 }) ?? true else {
        return nil
      }
      sleepers.append(next)
      return next
    }
  }
  private let state = Mutex(State())

  /// The timers of this process.
  package static let shared = CallTimers()

  /// No timers.
  package init() {}

  /// Runs the body once so much time has passed, in the task of the timers.
  package func start(after time: Duration, _ body: @escaping @Sendable () -> Void) -> ID {
    let instant = ContinuousClock.now + time.bounded
    let (id, sleeper) = state.withLock { state in
      state.lastID += 1
      state.bodies[state.lastID] = body
      state.deadlines.insert(Deadline(instant: instant, id: state.lastID))
      return (state.lastID, state.nextSleeper())
    }
    if let sleeper { sleep(until: sleeper) }
    return id
  }

  /// The timer is not needed any more. Nothing happens if it has gone off.
  package func stop(_ id: ID) {
    // Let go of outside of the lock.
    let body = state.withLock { state in
      let body = state.bodies.removeValue(forKey: id)
      if state.deadlines.count > 2 * state.bodies.count + 64 {
        state.deadlines = Heap(state.deadlines.unordered.filter { state.bodies[$0.id] != nil })
      }
      return body
    }
    withExtendedLifetime(body) {}
  }

  /// Waits until so much time has passed. Unlike `Task.sleep`, it keeps nothing once the task is cancelled.
  ///
  /// - Throws: `CancellationError` if the task is cancelled.
  nonisolated(nonsending) package func sleep(for time: Duration) async throws {
    let sleeper = Sleeper()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        sleeper.begin(continuation)
        sleeper.setTimer(start(after: time) { sleeper.wake() }, of: self)
      }
    } onCancel: {
      sleeper.wake()
    }
    sleeper.end(self)
    try Task.checkCancellation()
  }

  /// A task that waits for a timer or for its cancellation, whichever is first.
  private final class Sleeper: Sendable {
    private struct State {
      var continuation: CheckedContinuation<Void, Never>?
      var isAwake = false
      var timer: ID?
    }
    private let state = Mutex(State())

    func begin(_ continuation: CheckedContinuation<Void, Never>) {
      let isAwake = state.withLock { state in
        if !state.isAwake { state.continuation = continuation }
        return state.isAwake
      }
      if isAwake { continuation.resume() }
    }

    func setTimer(_ timer: ID, of timers: CallTimers) {
      let isAwake = state.withLock { state in
        if !state.isAwake { state.timer = timer }
        return state.isAwake
      }
      if isAwake { timers.stop(timer) }
    }

    func wake() {
      state.withLock { state in
        state.isAwake = true
        return state.continuation.take()
      }?.resume()
    }

    func end(_ timers: CallTimers) {
      if let timer = state.withLock({ $0.timer.take() }) { timers.stop(timer) }
    }
  }

  private func sleep(until instant: ContinuousClock.Instant) {
    Task.detached {
      try? await Task.sleep(until: instant, clock: .continuous)
      self.wake(at: instant)
    }
  }

  private func wake(at instant: ContinuousClock.Instant) {
    let (due, sleeper) = state.withLock { state in
      if let index = state.sleepers.lastIndex(of: instant) { state.sleepers.remove(at: index) }
      var due: [@Sendable () -> Void] = []
      let now = ContinuousClock.now
      while let first = state.deadlines.min {
        let body = state.bodies[first.id]
        guard body == nil || first.instant <= now else { break }
        state.deadlines.removeMin()
        state.bodies[first.id] = nil
        if let body { due.append(body) }
      }
      return (due, state.nextSleeper())
    }
    if let sleeper { sleep(until: sleeper) }
    for body in due { body() }
  }

  /// Deadlines that are kept, and tasks that sleep.
  package var load: (deadlines: Int, sleepers: Int) {
    state.withLock { ($0.deadlines.count, $0.sleepers.count) }
  }

  /// The number of timers that have neither gone off nor been stopped.
  package var count: Int { state.withLock { $0.bodies.count } }
}
