package import CapTP
import CapnProto
import Synchronization

/// The writing end of a stream: what the streaming calls on one reference share.
package final class StreamWriter: Sendable {
  private struct State {
    var window: FlowWindow
    /// Why a call failed: the stream is over.
    var failure: RPCError?
    /// Who waits for room, oldest first.
    var writers: [Waiter] = []
    /// Who waits until all is acknowledged.
    var finishers: [Waiter] = []
    var lastWaiter: UInt64 = 0
  }
  private struct Waiter {
    let id: UInt64
    let continuation: CheckedContinuation<Void, Never>
  }
  private let state: Mutex<State>

  init(_ limits: StreamLimits) { state = Mutex(State(window: FlowWindow(limits))) }

  func adopt(_ limits: StreamLimits) { state.withLock { $0.window.adopt(limits) } }

  /// Notes a call that is about to be sent.
  ///
  /// - Throws: the error of the call that ended the stream.
  func begin(_ bytes: Int) throws(RPCError) -> StreamingCaller {
    let result: Result<Int, RPCError> = state.withLock { state in
      if let failure = state.failure { return .failure(failure) }
      return .success(state.window.send(bytes, at: .now))
    }
    return StreamingCaller(self, write: try result.get(), bytes: bytes)
  }

  fileprivate func end(_ write: Int, _ bytes: Int, _ outcome: Outcome) {
    let resumed: [Waiter] = state.withLock { state in
      state.window.acknowledge(write, bytes, at: .now)
      if case .failure(let error) = outcome, state.failure == nil { state.failure = error }
      var resumed: [Waiter] = []
      if state.failure != nil || state.window.hasRoom {
        resumed += state.writers
        state.writers = []
      }
      if state.failure != nil || state.window.bytesInFlight == 0 {
        resumed += state.finishers
        state.finishers = []
      }
      return resumed
    }
    for waiter in resumed { waiter.continuation.resume() }
  }

  /// Waits until the window has room.
  ///
  /// - Throws: the error of the call that ended the stream; `CancellationError` if the task is
  ///   cancelled.
  nonisolated(nonsending) func room() async throws {
    try await wait(in: \.writers) { $0.window.hasRoom }
  }

  /// Waits until every call has been acknowledged. Throws as ``room()``.
  nonisolated(nonsending) func finish() async throws {
    try await wait(in: \.finishers) { $0.window.bytesInFlight == 0 }
  }

  nonisolated(nonsending) private func wait(
    in list: any WritableKeyPath<State, [Waiter]> & Sendable,
    until isReady: @Sendable (State) -> Bool
  ) async throws {
    let (isOver, id) = state.withLock { state in
      state.lastWaiter += 1
      return (state.failure != nil || isReady(state), state.lastWaiter)
    }
    if !isOver {
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let isOver = state.withLock { state in
            if state.failure != nil || isReady(state) || Task.isCancelled { return true }
            state[keyPath: list].append(Waiter(id: id, continuation: continuation))
            return false
          }
          if isOver { continuation.resume() }
        }
      } onCancel: {
        let waiter = state.withLock { state -> Waiter? in
          guard let index = state[keyPath: list].firstIndex(where: { $0.id == id }) else {
            return nil
          }
          return state[keyPath: list].remove(at: index)
        }
        waiter?.continuation.resume()
      }
    }
    let (failure, isDone) = state.withLock { ($0.failure, isReady($0)) }
    if let failure { throw failure }
    if !isDone { try Task.checkCancellation() }
  }
}

/// The caller of one call of a stream: nobody drops it, so what was written arrives even if the writer
/// has gone.
final class StreamingCaller: Caller {
  private let writer: StreamWriter
  private let write: Int
  private let bytes: Int

  fileprivate init(_ writer: StreamWriter, write: Int, bytes: Int) {
    self.writer = writer
    self.write = write
    self.bytes = bytes
  }

  func finish(_ outcome: Outcome) { writer.end(write, bytes, outcome) }
}

/// The stream of a reference, made with its first streaming call.
package struct StreamPlace: ~Copyable, Sendable {
  private let made = Mutex<StreamWriter?>(nil)

  package init() {}

  /// The stream, within the limits: those of a promise may not have been known before.
  package borrowing func writer(_ limits: StreamLimits = StreamLimits()) -> StreamWriter {
    made.withLock { made in
      if let made {
        made.adopt(limits)
        return made
      }
      let new = StreamWriter(limits)
      made = new
      return new
    }
  }
}
