import Synchronization

/// Runs work in order, one piece after the other, never on the stack of who asks for it.
public final class TurnQueue: ConnectionExecutor {
  private enum Piece: Sendable {
    case work(@Sendable () -> Void)
    case call(TurnCall)

    func run() {
      switch self {
      case .work(let work): work()
      case .call(let call): call.begin()
      }
    }

    func isBegin(of call: TurnCall) -> Bool {
      if case .call(let next) = self { next === call } else { false }
    }
  }
  private struct State {
    var pieces: [Piece] = []
    /// Whether a turn has been asked for that has not begun.
    var isScheduled = false
    /// Whether somebody works it off.
    var isRunning = false

    /// Whether a turn has to be asked for, which is noted.
    mutating func mustSchedule() -> Bool {
      guard !pieces.isEmpty, !isScheduled, !isRunning else { return false }
      isScheduled = true
      return true
    }
  }
  private let state = Mutex(State())

  /// A queue without work.
  public init() {}

  /// Adds work to the end of the queue.
  public func execute(_ work: @escaping @Sendable () -> Void) { add(.work(work)) }

  /// Adds the call to the end of the queue.
  func add(_ call: TurnCall) { add(.call(call)) }

  private func add(_ piece: Piece) {
    let mustSchedule = state.withLock { state in
      state.pieces.append(piece)
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
      for piece in batch { piece.run() }
      batch = nextBatch(isFirst: false)
    }
  }

  private func nextBatch(isFirst: Bool) -> [Piece] {
    state.withLock { state in
      // Who works it off asks for another turn if more has come.
      if isFirst, state.isRunning { return [] }
      defer { state.pieces = [] }
      state.isRunning = !state.pieces.isEmpty
      return state.pieces
    }
  }

  /// Begins the call at once if nothing else waits.
  ///
  /// For a task that awaits the call, and need not wait for another thread then. It runs no work of
  /// others: that would see this task's values, and might not end while others make calls.
  func runNow(_ call: TurnCall) {
    let piece = state.withLock { state -> Piece? in
      guard !state.isRunning, state.pieces.count == 1, let piece = state.pieces.popLast() else {
        return nil
      }
      guard piece.isBegin(of: call) else {
        state.pieces.append(piece)
        return nil
      }
      state.isRunning = true
      return piece
    }
    guard let piece else { return }
    piece.run()
    let mustSchedule = state.withLock { state in
      state.isRunning = false
      return state.mustSchedule()
    }
    if mustSchedule { schedule() }
  }

  /// Never: whoever asks is told to queue its work.
  public var isCurrent: Bool { false }
}
