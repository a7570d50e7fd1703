package import CapTP
package import CapnProto
import Synchronization

/// A capability that is not known yet: calls wait in order, and go where it turns out to lead.
package final class QueuedCapability: CallTarget, PromiseHook {
  private struct Waiting: Sendable {
    let id: UInt64
    let call: DeliveredCall
    let responder: any Responder
    let cancellation: CallCancellation
  }
  private struct State {
    var target: (any CallTarget)?
    /// Whether calls still wait although the target is known: later ones must not overtake them.
    var queue: [Waiting] = []
    var isFlushing = false
    var lastID: UInt64 = 0
    var watchers: [Watcher: @Sendable (any CallTarget) -> Void] = [:]
    /// Keeps the call alive that this capability is a result of.
    var token: CallToken?
  }
  private let state: Mutex<State>
  /// Calls that may wait.
  private let limit: Int
  private let stream = StreamPlace()
  package var streamWriter: StreamWriter { stream.writer(streamLimits) }
  package var streamLimits: StreamLimits {
    state.withLock { $0.target }?.streamLimits ?? StreamLimits()
  }
  package var callTimeout: Duration? { state.withLock { $0.target }?.callTimeout }
  package var attachedDescriptor: OpenDescriptor? {
    state.withLock { $0.target }?.attachedDescriptor
  }

  /// Who waits for what the capability is.
  enum Watcher: Hashable {
    case export(ExportToken, of: ObjectIdentifier)
    case watcher(ObjectIdentifier)
  }

  package init(keeping token: CallToken? = nil, limit: Int = .max) {
    state = Mutex(State(token: token))
    self.limit = limit
  }

  package var resolution: (any CapabilityHook)? {
    state.withLock { $0.isFlushing ? nil : $0.target }
  }

  /// The call whose results it is in; nil for another promise, and once it is known.
  var producer: PendingCall? { state.withLock { $0.token?.call } }

  /// Whether calls wait for what it is.
  var isWaitedFor: Bool { state.withLock { !$0.queue.isEmpty } }

  /// Says what the capability is. Only the first time counts.
  package func resolve(_ target: any CallTarget) {
    let target: any CallTarget =
      leadsBack(target)
      ? BrokenCapability(.failed("the promise resolved to itself")) : target
    // The token is let go of outside of the lock, as it may take a call back.
    let (isFirst, token) = state.withLock { state in
      guard state.target == nil else { return (false, nil as CallToken?) }
      state.target = target
      state.isFlushing = true
      defer { state.token = nil }
      return (true, state.token)
    }
    guard isFirst else { return }
    defer { withExtendedLifetime(token) {} }
    while true {
      let batch: [Waiting]? = state.withLock { state in
        guard !state.queue.isEmpty else {
          state.isFlushing = false
          return nil
        }
        defer { state.queue = [] }
        return state.queue
      }
      guard let batch else { break }
      for waiting in batch {
        waiting.cancellation.follow(
          target.deliver(waiting.call, responder: waiting.responder))
      }
    }
    let watchers = state.withLock { state in
      defer { state.watchers = [:] }
      return state.watchers
    }
    for watcher in watchers.values { watcher(target) }
  }

  /// Whether calls on the target would come back to this promise, by way of other promises or of
  /// references that a peer has led back.
  private func leadsBack(_ target: any CallTarget) -> Bool {
    var hook: any CapabilityHook = target
    for _ in 0..<64 {
      if hook === self { return true }
      if let promise = hook as? any PromiseHook, let next = promise.resolution {
        hook = next
      } else if let next = (hook as? RemoteCapability)?.localCapability {
        hook = next
      } else {
        return false
      }
    }
    return true
  }

  /// Calls the body with what the capability is, once that is known.
  func whenResolved(
    for watcher: Watcher, _ body: @escaping @Sendable (any CallTarget) -> Void
  ) {
    let target: (any CallTarget)? = state.withLock { state in
      if !state.isFlushing, let target = state.target { return target }
      state.watchers[watcher] = body
      return nil
    }
    if let target { body(target) }
  }

  package func status(notifying watcher: CapabilityWatcher?) -> CapabilityStatus {
    let target = state.withLock { state -> (any CallTarget)? in
      if !state.isFlushing, let target = state.target { return target }
      if let watcher {
        state.watchers[.watcher(ObjectIdentifier(watcher))] = { _ in watcher.referenceChanged() }
      }
      return nil
    }
    if let target { return target.status(notifying: watcher) }
    watcher?.whenForgotten { [weak self, id = watcher.map { ObjectIdentifier($0) }] in
      if let id { self?.forget(.watcher(id)) }
    }
    return .promise
  }

  /// The watcher does not wait any more.
  func forget(_ watcher: Watcher) {
    // Let go of outside of the lock.
    let body = state.withLock { $0.watchers.removeValue(forKey: watcher) }
    withExtendedLifetime(body) {}
  }

  package func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    if let target = state.withLock({ $0.isFlushing ? nil : $0.target }) {
      return target.send(call, caller: caller)
    }
    do {
      return deliver(try DeliveredCall(call), responder: CallerResponder(caller: caller))
    } catch {
      caller.finish(.failure(.failed("the call is invalid: \(error)")))
      return nil
    }
  }

  package func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    if responder.pendingCall?.waitsForItself(in: self) == true {
      responder.returnError(.failed("the call waits for its own results"))
      return nil
    }
    let cancellation = CallCancellation()
    let (target, isFull) = state.withLock { state -> ((any CallTarget)?, Bool) in
      if !state.isFlushing, let target = state.target { return (target, false) }
      guard state.queue.count < limit else { return (nil, true) }
      state.lastID += 1
      let id = state.lastID
      cancellation.start { [weak self] in self?.withdraw(id) }
      state.queue.append(
        Waiting(id: id, call: call, responder: responder, cancellation: cancellation))
      return (nil, false)
    }
    if let target { return target.deliver(call, responder: responder) }
    if isFull {
      responder.returnError(.overloaded("\(limit) calls wait for the object already"))
      return nil
    }
    return .local(cancellation)
  }

  /// A call that waits is not wanted any more.
  private func withdraw(_ id: UInt64) {
    let waiting = state.withLock { state -> Waiting? in
      guard let index = state.queue.firstIndex(where: { $0.id == id }) else { return nil }
      return state.queue.remove(at: index)
    }
    waiting?.responder.returnError(.failed("the call was cancelled"))
  }
}
