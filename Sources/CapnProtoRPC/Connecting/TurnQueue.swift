import Synchronization

/// Runs work in order, one piece after the other, never on the stack of who asks for it.
public final class TurnQueue: ConnectionExecutor {
  private struct State {
    var work: [@Sendable () -> Void] = []
    var isRunning = false
  }
  private let state = Mutex(State())

  /// A queue without work.
  public init() {}

  /// Adds work to the end of the queue.
  public func execute(_ work: @escaping @Sendable () -> Void) {
    let starts = state.withLock { state in
      state.work.append(work)
      defer { state.isRunning = true }
      return !state.isRunning
    }
    guard starts else { return }
    // A task that runs where a connection does its work is not left for another thread.
    if let executor = currentConnectionExecutor() {
      executor.execute { self.run() }
    } else {
      Task.detached { self.run() }
    }
  }

  private func run() {
    while true {
      let batch: [@Sendable () -> Void] = state.withLock { state in
        defer { state.work = [] }
        if state.work.isEmpty { state.isRunning = false }
        return state.work
      }
      guard !batch.isEmpty else { return }
      for work in batch { work() }
    }
  }

  /// Never: whoever asks is told to queue its work.
  public var isCurrent: Bool { false }
}
