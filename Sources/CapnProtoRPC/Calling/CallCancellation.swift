import Synchronization

/// Cancels a call that is handled in this process, at most once, and not after it has ended.
package final class CallCancellation: Sendable {
  private enum State {
    case starting
    case running(@Sendable () -> Void)
    case cancelled
    case ended
  }
  private let state = Mutex(State.starting)

  /// Of a call that has just been made.
  package init() {}

  /// Sets what cancels the call, in place of what did before it went on. If it is cancelled
  /// already, that is done now.
  package func start(_ cancel: @escaping @Sendable () -> Void) {
    start(cancel, replacing: true)
  }

  /// The call went on there, or has ended.
  func follow(_ route: CallRoute?) {
    if let route { start { route.cancel() } } else { end() }
  }

  /// As ``start(_:)``, unless the call has gone on already.
  func begin(_ cancel: @escaping @Sendable () -> Void) { start(cancel, replacing: false) }

  private func start(_ cancel: @escaping @Sendable () -> Void, replacing: Bool) {
    let isCancelled = state.withLock { state in
      switch state {
      case .running where !replacing: return false
      case .starting, .running:
        state = .running(cancel)
        return false
      case .cancelled: return true
      case .ended: return false
      }
    }
    if isCancelled { cancel() }
  }

  /// Cancels the call unless it has ended.
  func cancel() {
    let cancel: (@Sendable () -> Void)? = state.withLock { state in
      defer { if case .ended = state {} else { state = .cancelled } }
      guard case .running(let cancel) = state else { return nil }
      return cancel
    }
    cancel?()
  }

  /// The call has ended.
  package func end() { state.withLock { $0 = .ended } }

  /// Whether the call has ended.
  var hasEnded: Bool { state.withLock { if case .ended = $0 { true } else { false } } }

  /// Whether the call was cancelled, and has not ended yet.
  var isCancelled: Bool { state.withLock { if case .cancelled = $0 { true } else { false } } }
}
