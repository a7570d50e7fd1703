package import CapTP
import CapnProto
import Synchronization

/// What a capability is, as far as that is known.
package enum CapabilityStatus: Sendable {
  /// It is not known yet.
  case promise
  /// It is an object, here or behind a connection.
  case settled
  /// Each call fails.
  case broken(RPCError)
}

/// What a capability knows by itself of its status.
package enum OwnStatus: Sendable {
  /// It is that.
  case known(CapabilityStatus)
  /// It is what the other capability is.
  case that(any CallTarget)
}

extension Capability {
  /// Waits until it is known which object this is, if it is a promise. Calls need not wait for that.
  ///
  /// - Throws: `RPCError` if the promise is broken; `CancellationError` if the task is cancelled.
  public func whenResolved() async throws {
    try await first { status -> Result<Void, RPCError>? in
      switch status {
      case .promise: nil
      case .settled: .success(())
      case .broken(let error): .failure(error)
      }
    }.get()
  }

  /// Waits until each call fails: the connection is over, the promise is broken, or a membrane has
  /// been closed. An object of this process never breaks.
  ///
  /// - Returns: why.
  /// - Throws: `CancellationError` if the task is cancelled.
  public func whenBroken() async throws -> RPCError {
    try await first { status in
      if case .broken(let error) = status { error } else { nil }
    }
  }

  /// Whether this is the same object as the other, as far as is known: a capability that was sent to
  /// a peer and came back is the one that was sent. A promise is the object that it has turned out
  /// to be.
  public func isIdentical(to other: Capability) -> Bool {
    let first = target.end(for: .identity) ?? target
    let second = other.target.end(for: .identity) ?? other.target
    if let first = first as? RemoteCapability, let second = second as? RemoteCapability {
      return first === second || first.isSame(as: second)
    }
    return first === second
  }

  private func first<Found: Sendable>(
    _ find: (CapabilityStatus) -> Found?
  ) async throws -> Found {
    while true {
      let watcher = CapabilityWatcher()
      defer { watcher.forget() }
      if let found = find(target.status(notifying: watcher)) { return found }
      try await watcher.changed()
    }
  }
}

/// Waits for a capability to become something else.
package final class CapabilityWatcher: ReferenceWatcher {
  private struct State {
    var hasChanged = false
    var continuation: CheckedContinuation<Void, Never>?
    var whenForgotten: [@Sendable () -> Void] = []
  }
  private let state = Mutex(State())

  package func referenceChanged() {
    state.withLock { state in
      state.hasChanged = true
      return state.continuation.take()
    }?.resume()
  }

  /// Waits for a change that came after the watcher was made.
  fileprivate func changed() async throws {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.hasChanged || Task.isCancelled { return true }
          state.continuation = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.continuation.take() }?.resume()
    }
    try Task.checkCancellation()
  }

  /// Sets what ends the watch somewhere.
  func whenForgotten(_ body: @escaping @Sendable () -> Void) {
    state.withLock { $0.whenForgotten.append(body) }
  }

  /// Ends the watch everywhere.
  fileprivate func forget() {
    let bodies = state.withLock { state in
      defer { state.whenForgotten = [] }
      return state.whenForgotten
    }
    for body in bodies { body() }
  }
}
