// A task that sleeps stays in memory until its time is over, even if it is cancelled, and most calls end
// long before theirs. So all calls share a timer: what is kept for a call goes with it, and one task
// sleeps until the first of the deadlines.

import HeapModule
import Synchronization

/// Tells calls that their time is over.
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

  /// The timers of the calls of this process.
  package static let shared = CallTimers()

  /// No timers.
  package init() {}

  /// Runs the body once so much time has passed, in the task of the timers.
  package func start(after time: Duration, _ body: @escaping @Sendable () -> Void) -> ID {
    let instant = ContinuousClock.now + time
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
}
