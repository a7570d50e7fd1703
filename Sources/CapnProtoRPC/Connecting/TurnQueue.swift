import Synchronization

/// What waits in a queue.
protocol Turn: AnyObject, Sendable {
  func begin()
}

/// Runs work in order, one piece after the other, never on the stack of who asks for it.
public final class TurnQueue: ConnectionExecutor {
  /// Work, as an object: to look at one that waits counts nothing.
  private final class Work: Turn {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func begin() { body() }
  }
  private struct State {
    var turns: [any Turn] = []
    /// Whether a turn has been asked for that has not begun.
    var isScheduled = false
    /// Whether somebody works it off.
    var isRunning = false

    /// Whether a turn has to be asked for, which is noted.
    mutating func mustSchedule() -> Bool {
      guard !turns.isEmpty, !isScheduled, !isRunning else { return false }
      isScheduled = true
      return true
    }
  }
  private let state = Mutex(State())

  /// A queue without work.
  public init() {}

  /// Adds work to the end of the queue.
  public func execute(_ work: @escaping @Sendable () -> Void) { add(Work(work)) }

  /// Adds the turn to the end of the queue.
  func add(_ turn: some Turn) {
    let mustSchedule = state.withLock { state in
      state.turns.append(turn)
      return state.mustSchedule()
    }
    if mustSchedule { schedule() }
  }

  private func schedule() {
    // A task that runs where a connection does its work is not left for another thread.
    if let executor = currentConnectionExecutor() {
      executor.execute { self.run() }
    } else {
      Task.detached { self.run() }
    }
  }

  private func run() {
    state.withLock { $0.isScheduled = false }
    var batch = nextBatch(isFirst: true)
    while !batch.isEmpty {
      for turn in batch { turn.begin() }
      batch = nextBatch(isFirst: false)
    }
  }

  private func nextBatch(isFirst: Bool) -> [any Turn] {
    state.withLock { state in
      // Who works it off asks for another turn if more has come.
      if isFirst, state.isRunning { return [] }
      defer { state.turns = [] }
      state.isRunning = !state.turns.isEmpty
      return state.turns
    }
  }

  /// Begins the call at once if nothing else waits.
  ///
  /// For a task that awaits the call, and need not wait for another thread then. It runs no work of
  /// others: that would see this task's values, and might not end while others make calls.
  func runNow(_ call: TurnCall) {
    let isNext = state.withLock { state in
      guard !state.isRunning, state.turns.count == 1, state.turns[0] === call else {
        return false
      }
      // Whoever asks holds the call: nothing is let go of here.
      state.turns.removeLast()
      state.isRunning = true
      return true
    }
    guard isNext else { return }
    call.begin()
    let mustSchedule = state.withLock { state in
      state.isRunning = false
      return state.mustSchedule()
    }
    if mustSchedule { schedule() }
  }

  /// Never: whoever asks is told to queue its work.
  public var isCurrent: Bool { false }
}
