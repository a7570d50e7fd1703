import Synchronization

/// Runs work in order, one piece after the other, never on the stack of who asks for it.
public final class TurnQueue: ConnectionExecutor {
  private struct State {
    var work: [@Sendable () -> Void] = []
    /// Whether a turn has been asked for that has not begun.
    var isScheduled = false
    /// Whether somebody works it off.
    var isRunning = false
  }
  private let state = Mutex(State())

  /// A queue without work.
  public init() {}

  /// Adds work to the end of the queue.
  public func execute(_ work: @escaping @Sendable () -> Void) {
    let mustSchedule = state.withLock { state in
      state.work.append(work)
      if state.isScheduled || state.isRunning { return false }
      state.isScheduled = true
      return true
    }
    guard mustSchedule else { return }
    // A task that runs where a connection does its work is not left for another thread.
    if let executor = currentConnectionExecutor() {
      executor.execute { self.run() }
    } else {
      Task.detached { self.run() }
    }
  }

  private func run() {
    state.withLock { $0.isScheduled = false }
    runNow()
  }

  /// Takes the turn that the work waits for, unless somebody works it off already.
  ///
  /// For a task that awaits what comes of it, and need not wait for another thread then.
  func runNow() {
    var batch = nextBatch(isFirst: true)
    while !batch.isEmpty {
      for work in batch { work() }
      batch = nextBatch(isFirst: false)
    }
  }

  private func nextBatch(isFirst: Bool) -> [@Sendable () -> Void] {
    state.withLock { state in
      if isFirst, state.isRunning { return [] }
      defer { state.work = [] }
      state.isRunning = !state.work.isEmpty
      return state.work
    }
  }

  /// Never: whoever asks is told to queue its work.
  public var isCurrent: Bool { false }
}
