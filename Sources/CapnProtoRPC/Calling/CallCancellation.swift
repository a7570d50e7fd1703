import Synchronization

/// Cancels a call that is handled in this process, at most once, and not after it has ended.
package final class CallCancellation: Sendable {
  private let state = CancellationState()

  /// Of a call that has just been made.
  package init() {}

  /// Sets what cancels the call, in place of what did before it went on. If it is cancelled
  /// already, that is done now.
  package func start(_ cancel: @escaping @Sendable () -> Void) {
    state.start(cancel, replacing: true)
  }

  /// The call went on there, or has ended.
  func follow(_ route: CallRoute?) { state.follow(route) }

  /// As ``start(_:)``, unless the call has gone on already.
  func begin(_ cancel: @escaping @Sendable () -> Void) { state.start(cancel, replacing: false) }

  /// Cancels the call unless it has ended.
  func cancel() { state.cancel() }

  /// The call has ended.
  package func end() { state.end() }

  /// Whether the call has ended.
  var hasEnded: Bool { state.hasEnded }

  /// Whether the call was cancelled, and has not ended yet.
  var isCancelled: Bool { state.isCancelled }
}

/// The state of a ``CallCancellation``, whose methods say what each does, for objects that have it in
/// place. What cancelled a call is let go of outside of the lock, as it may hold the last reference to
/// other calls.
struct CancellationState: ~Copyable, Sendable {
  // Not private: objects of other files hold it in place, where a debug build cannot name what is.
  enum Phase {
    case starting
    case running(@Sendable () -> Void)
    case cancelled
    case ended
  }
  private let phase = Mutex(Phase.starting)

  func start(_ cancel: @escaping @Sendable () -> Void, replacing: Bool) {
    var next = Phase.running(cancel)
    let isCancelled = phase.withLock { phase in
      switch phase {
      case .running where !replacing: return false
      case .starting, .running:
        swap(&phase, &next)
        return false
      case .cancelled: return true
      case .ended: return false
      }
    }
    if isCancelled { cancel() }
  }

  func follow(_ route: CallRoute?) {
    if let route { start({ route.cancel() }, replacing: true) } else { end() }
  }

  func cancel() {
    let cancel: (@Sendable () -> Void)? = phase.withLock { phase in
      defer { if case .ended = phase {} else { phase = .cancelled } }
      guard case .running(let cancel) = phase else { return nil }
      return cancel
    }
    cancel?()
  }

  func end() {
    var last = Phase.ended
    phase.withLock { swap(&$0, &last) }
  }

  var hasEnded: Bool { phase.withLock { if case .ended = $0 { true } else { false } } }

  var isCancelled: Bool { phase.withLock { if case .cancelled = $0 { true } else { false } } }
}
