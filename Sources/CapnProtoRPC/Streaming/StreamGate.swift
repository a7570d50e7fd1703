import CapTP
import CapnProto
import DequeModule
import Logging
import Synchronization

/// Lets calls in to an object with streaming methods: one that streams has the object to itself, so
/// later ones wait; once one has failed, each later call fails with its error.
final class StreamGate: Sendable {
  private struct Waiting: Sendable {
    let id: UInt64
    let isStreaming: Bool
    let responder: any Responder
    let cancellation: CallCancellation
    let start: @Sendable (any Responder) -> CallRoute?
  }
  private struct State {
    var waiting = Deque<Waiting>()
    var lastID: UInt64 = 0
    /// Whether a streaming call is under way.
    var isStreaming = false
    /// Whether somebody takes calls out of the queue.
    var isDraining = false
    var failure: RPCError?

    var isOpen: Bool { waiting.isEmpty && !isStreaming && !isDraining && failure == nil }
  }
  private let lockedState = Mutex(State())
  /// As the state was left: each call to the object asks for it, and most without any stream about.
  private let isStateOpen = Atomic(true)

  private func withState<Value>(_ body: (inout State) -> Value) -> Value {
    lockedState.withLock { state in
      defer { isStateOpen.store(state.isOpen, ordering: .releasing) }
      return body(&state)
    }
  }

  /// Whether a call that does not stream may go at once: none waits, or has the object to itself.
  var isOpen: Bool { isStateOpen.load(ordering: .acquiring) }

  /// Starts the call when its turn has come.
  func admit(
    isStreaming: Bool, _ responder: any Responder,
    start: @escaping @Sendable (any Responder) -> CallRoute?
  ) -> CallRoute? {
    let cancellation = CallCancellation()
    let id = withState { state in
      state.lastID += 1
      state.waiting.append(
        Waiting(
          id: state.lastID, isStreaming: isStreaming, responder: responder,
          cancellation: cancellation, start: start))
      return state.lastID
    }
    cancellation.begin { [weak self] in self?.withdraw(id) }
    drain()
    return cancellation.hasEnded ? nil : .local(cancellation)
  }

  private func drain() {
    while true {
      let next = withState { state -> (call: Waiting, failure: RPCError?)? in
        guard !state.isStreaming, !state.isDraining, let call = state.waiting.popFirst() else {
          return nil
        }
        state.isDraining = true
        state.isStreaming = call.isStreaming && state.failure == nil
        return (call, state.failure)
      }
      guard let next else { return }
      if let failure = next.failure {
        next.call.responder.returnError(failure)
      } else {
        start(next.call)
      }
      withState { $0.isDraining = false }
    }
  }

  private func start(_ call: Waiting) {
    let responder: any Responder =
      call.isStreaming
      ? StreamResponder(gate: self, responder: call.responder, cancellation: call.cancellation)
      : call.responder
    call.cancellation.follow(call.start(responder))
  }

  /// The streaming call that was under way has ended.
  fileprivate func end(_ failure: RPCError?) {
    withState { state in
      state.isStreaming = false
      state.failure = failure
    }
    drain()
  }

  /// A call that waits is not wanted any more.
  private func withdraw(_ id: UInt64) {
    let waiting = withState { state -> Waiting? in
      guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
      return state.waiting.remove(at: index)
    }
    waiting?.responder.returnError(.failed("the call was cancelled"))
  }
}

/// Answers a streaming call, and lets the next call in.
private struct StreamResponder: Responder {
  let gate: StreamGate
  let responder: any Responder
  let cancellation: CallCancellation
  var hops: Int { responder.hops }

  func returnResults(_ message: consuming MessageBuilder) {
    responder.returnResults(message)
    gate.end(nil)
  }

  func returnError(_ error: RPCError) {
    responder.returnError(error)
    // A call that was taken back leaves no gap: its caller knows of it.
    gate.end(cancellation.isCancelled ? nil : error)
  }

  var logger: Logger { responder.logger }

  func noteCopy(words: Int) { responder.noteCopy(words: words) }
}
