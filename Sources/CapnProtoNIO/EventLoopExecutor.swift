// Safety. A job is taken over once, by `enqueue`, and run once, by a turn. The reference that runs it is
// sound because the turn keeps this object.

import CapnProtoRPC
import NIOCore
import Synchronization

/// Runs the work of a connection, and tasks that prefer to run with it, on its channel's event loop, in
/// turns: what comes up in a turn is done in it, without the event loop, and then what the connection
/// has to say is written at once.
final class EventLoopExecutor: ConnectionExecutor, TaskExecutor {
  private enum Piece {
    case work(@Sendable () -> Void)
    case job(UnownedJob)
  }
  private struct State {
    /// What is to be done, oldest first.
    var pieces: [Piece] = []
    /// Memory for the pieces that come while these are done.
    var spare: [Piece] = []
    /// Has messages to write.
    var transport: ChannelTransport?
    /// Whether a turn has been asked for that has not begun.
    var isScheduled = false
    /// Whether a turn goes on.
    var isRunning = false

    /// Whether there is something to do, or to write.
    var hasWork: Bool { !pieces.isEmpty || transport != nil }

    /// Whether a turn has to be asked for, which is noted.
    mutating func mustSchedule() -> Bool {
      guard !isScheduled, !isRunning else { return false }
      isScheduled = true
      return true
    }
  }
  private let state = Mutex(State())
  private let eventLoop: any EventLoop

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func execute(_ work: @escaping @Sendable () -> Void) { add(.work(work)) }

  func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

  var isCurrent: Bool { eventLoop.inEventLoop }

  var taskExecutor: (any TaskExecutor)? { self }

  /// Whether there is something to do, or to write.
  var hasWork: Bool { state.withLock { $0.hasWork } }

  private func add(_ piece: Piece) {
    let mustSchedule = state.withLock { state in
      state.pieces.append(piece)
      return state.mustSchedule()
    }
    if mustSchedule { schedule() }
  }

  /// Lets the transport write what it was given, behind what there is to do: a task that goes on with an
  /// answer makes its next call, which goes out with the `Finish` of the last one.
  func write(_ transport: ChannelTransport) {
    let mustSchedule = state.withLock { state in
      state.transport = transport
      return state.mustSchedule()
    }
    if mustSchedule { schedule() }
  }

  private func schedule() {
    eventLoop.execute {
      self.state.withLock { $0.isScheduled = false }
      self.turn {}
    }
  }

  /// Runs the body, and then what there is to do by then, on the event loop.
  func turn(_ body: () -> Void) {
    let isFirst = state.withLock { state in
      defer { state.isRunning = true }
      return !state.isRunning
    }
    body()
    guard isFirst else { return }
    for _ in 0..<Self.rounds {
      guard var pieces = nextPieces() else { return }
      for piece in pieces {
        switch piece {
        case .work(let work): work()
        case .job(let job): unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
      }
      // After each round: tasks that wake one another, and never end, keep no message back.
      let transport = state.withLock { $0.transport.take() }
      transport?.flush()
      pieces.removeAll(keepingCapacity: true)
      state.withLock { state in
        if pieces.capacity <= Self.keptPieces { swap(&state.spare, &pieces) }
      }
    }
    // Other tasks of the event loop, and its timers, get their turn.
    let goesOn = state.withLock { state in
      state.isRunning = false
      return state.hasWork && state.mustSchedule()
    }
    if goesOn { schedule() }
  }

  private static let keptPieces = 1024
  /// After which a turn ends although more has come up in it.
  private static let rounds = 64

  /// What is to be done now; nil once nothing is, which ends the turn.
  private func nextPieces() -> [Piece]? {
    state.withLock { state in
      guard state.hasWork else {
        state.isRunning = false
        return nil
      }
      var pieces: [Piece] = []
      swap(&pieces, &state.spare)
      swap(&pieces, &state.pieces)
      return pieces
    }
  }
}
