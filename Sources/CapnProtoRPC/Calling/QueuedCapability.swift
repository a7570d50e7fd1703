package import CapTP
package import CapnProto
import Synchronization

/// A capability that is not known yet: calls wait in order, and go where it turns out to lead.
///
/// A promise may resolve to another promise. Such a chain is shortened as it is walked, so that each
/// promise of it soon refers to what is at the end.
package final class QueuedCapability: CallTarget, PromiseHook {
  private struct Waiting: Sendable {
    let call: DeliveredCall
    let responder: any Responder
    /// One for the call wherever it waits: it may go on from promise to promise.
    let cancellation: CallCancellation
  }
  private struct State {
    var target: (any CallTarget)?
    /// Whether calls still wait although the target is known: later ones must not overtake them.
    var isFlushing = false
    var queue: [Waiting] = []
    var watchers: [Watcher: @Sendable (any CallTarget) -> Void] = [:]
    /// Keeps the call alive that this capability is a result of.
    var token: CallToken?
    /// Why the target is not known yet.
    var delayReason: RPCError?

    /// What calls may go to.
    var reachable: (any CallTarget)? { isFlushing ? nil : target }
  }
  private let state: Mutex<State>
  /// Calls that may wait.
  private let limit: Int
  /// Held while a promise is made to refer to another one, so that no two threads make a circle. Nothing
  /// is released meanwhile.
  private static let linking = Mutex(())
  private let stream = StreamPlace()
  package var streamWriter: StreamWriter { stream.writer(streamLimits) }
  package var streamLimits: StreamLimits { limitsTarget?.streamLimits ?? StreamLimits() }
  package var callTimeout: Duration? { limitsTarget?.callTimeout }
  package var attachedDescriptor: OpenDescriptor? { end?.attachedDescriptor }

  /// Who waits for what the capability is.
  enum Watcher: Hashable {
    case export(ExportToken, of: ObjectIdentifier)
    case watcher(ObjectIdentifier)
  }

  package init(keeping token: CallToken? = nil, limit: Int = .max) {
    state = Mutex(State(token: token))
    self.limit = limit
  }

  deinit { releaseChain(state.withLock { $0.target.take() }) }

  /// The call whose results it is in; nil for another promise, and once it is known.
  var producer: PendingCall? { state.withLock { $0.token?.call } }

  /// Whether calls wait for what it is.
  var isWaitedFor: Bool { state.withLock { !$0.queue.isEmpty } }

  // MARK: The chain

  package var resolution: (any CapabilityHook)? { end }

  package func next(for purpose: ChainPurpose) -> (any CallTarget)? {
    if case .release = purpose { state.withLock { $0.target } } else { end }
  }

  private var reachable: (any CallTarget)? { state.withLock { $0.reachable } }

  /// What calls may go to at the end of the chain of promises that begins with this one: an unresolved
  /// promise, or what is no promise; `nil` while this one is not resolved.
  private var end: (any CallTarget)? { reachable.map { end(from: $0) } }

  /// What ``end`` is, of a promise that refers to the target.
  private func end(from target: any CallTarget) -> any CallTarget {
    guard let promise = target as? QueuedCapability, let next = promise.reachable else {
      return target
    }
    var end = next
    var passed = [self, promise]
    while let promise = end as? QueuedCapability, let next = promise.reachable {
      passed.append(promise)
      end = next
    }
    // The last one refers to the end already. What each referred to is released after the end is held.
    for promise in passed.dropLast() { promise.shorten(to: end) }
    return end
  }

  private func shorten(to end: any CallTarget) {
    var end: (any CallTarget)? = end
    state.withLock { swap(&$0.target, &end) }
  }

  /// The first capability after the promise in the chain that is no promise, or not resolved at all,
  /// whether calls may go to it yet or not; and the promises on the way.
  private static func lastLink(
    from first: any CallTarget
  ) -> (last: any CallTarget, passed: [QueuedCapability]) {
    var last = first
    var passed: [QueuedCapability] = []
    while let promise = last as? QueuedCapability {
      guard let next = promise.state.withLock({ $0.target }) else { break }
      passed.append(promise)
      last = next
    }
    return (last, passed)
  }

  /// Why the capability is not known yet, as far as that is known.
  var delayReason: RPCError? { state.withLock { $0.delayReason } }

  /// Notes why the capability is not known yet: the error of an attempt that is to be repeated.
  func noteDelay(_ reason: RPCError) { state.withLock { $0.delayReason = reason } }

  // MARK: Resolution

  /// Says what the capability is. Only the first time counts.
  package func resolve(_ target: any CallTarget) {
    var target = resolution(for: target)
    var isFirst = false
    var token: CallToken?
    // Released outside of the locks: a token may cancel a call.
    var passed: [QueuedCapability] = []
    if target is QueuedCapability {
      Self.linking.withLock { _ in
        let last: any CallTarget
        (last, passed) = Self.lastLink(from: target)
        if last === self { target = BrokenCapability(Self.circle) }
        (isFirst, token) = become(target)
      }
    } else {
      (isFirst, token) = become(target)
    }
    withExtendedLifetime(passed) {}
    guard isFirst else { return }
    if state.withLock({ $0.queue.isEmpty }) {
      flush(to: target)
    } else {
      NestedCompletion.run { [target] in self.flush(to: target) }
    }
    withExtendedLifetime(token) {}
  }

  private func become(_ target: any CallTarget) -> (isFirst: Bool, CallToken?) {
    state.withLock { state in
      guard state.target == nil else { return (false, nil) }
      state.target = target
      state.isFlushing = true
      return (true, state.token.take())
    }
  }

  private static let circle = RPCError.failed("the promise resolved to itself")

  /// What this promise is to refer to if it is resolved to the capability: the end of a chain of
  /// promises; a broken capability if calls on that would come back to this promise.
  private func resolution(for target: any CallTarget) -> any CallTarget {
    var isCircle = false
    let end = CapabilityChain.end(of: target) { target -> (any CallTarget)? in
      isCircle = target === self
      return isCircle ? nil : target.next(for: .identity)
    }
    if isCircle { return BrokenCapability(Self.circle) }
    guard end != nil else { return BrokenCapability(CapabilityChain.error) }
    return (target as? QueuedCapability)?.end ?? target
  }

  private func flush(to target: any CallTarget) {
    while let batch = nextBatch() {
      for waiting in batch { Self.forward(waiting, to: target) }
    }
    let watchers = state.withLock { state in
      defer { state.watchers = [:] }
      return state.watchers
    }
    for watcher in watchers.values { watcher(target) }
  }

  private func nextBatch() -> [Waiting]? {
    state.withLock { state in
      guard !state.queue.isEmpty else {
        state.isFlushing = false
        return nil
      }
      defer { state.queue = [] }
      return state.queue
    }
  }

  private static func forward(_ waiting: Waiting, to target: any CallTarget) {
    // At another promise the call waits as it is: with each promise that it passes, its cancellations
    // would else become a longer chain.
    if let promise = target as? QueuedCapability {
      switch promise.take(waiting) {
      case .waits:
        // It may have been cancelled in between.
        if waiting.cancellation.isCancelled {
          promise.withdraw(ObjectIdentifier(waiting.cancellation))
        }
        return
      case .refused: return
      case .goesOn: break
      }
    }
    waiting.cancellation.follow(target.deliver(waiting.call, responder: waiting.responder))
  }

  /// Calls the body with what the capability is, once that is known.
  func whenResolved(
    for watcher: Watcher, _ body: @escaping @Sendable (any CallTarget) -> Void
  ) {
    let target = state.withLock { state in
      if state.reachable == nil { state.watchers[watcher] = body }
      return state.reachable
    }
    if let target { body(end(from: target)) }
  }

  package func ownStatus(notifying watcher: CapabilityWatcher?) -> OwnStatus {
    let target = state.withLock { state in
      if state.reachable == nil, let watcher {
        state.watchers[.watcher(ObjectIdentifier(watcher))] = { _ in watcher.referenceChanged() }
      }
      return state.reachable
    }
    if let target { return .that(end(from: target)) }
    watcher?.whenForgotten { [weak self, id = watcher.map { ObjectIdentifier($0) }] in
      if let id { self?.forget(.watcher(id)) }
    }
    return .known(.promise)
  }

  /// The watcher does not wait any more.
  func forget(_ watcher: Watcher) {
    // Let go of outside of the lock.
    let body = state.withLock { $0.watchers.removeValue(forKey: watcher) }
    withExtendedLifetime(body) {}
  }

  // MARK: Calls

  package func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    if let end {
      return end.next(for: .send) == nil
        ? end.send(call, caller: caller) : end.passSend(call, caller: caller)
    }
    do {
      return deliver(try DeliveredCall(call), responder: CallerResponder(caller: caller))
    } catch {
      caller.finish(.failure(.failed("the call is invalid: \(error)")))
      return nil
    }
  }

  package func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    if let end { return end.pass(call, responder: responder) }
    let waiting = Waiting(call: call, responder: responder, cancellation: CallCancellation())
    switch take(waiting) {
    case .waits: return .local(waiting.cancellation)
    case .refused: return nil
    case .goesOn: return pass(call, responder: responder)
    }
  }

  private enum Admission { case waits, refused, goesOn }

  /// Lets a call wait, unless the promise is resolved: then it is to go on.
  private func take(_ waiting: Waiting) -> Admission {
    if waiting.responder.pendingCall?.waitsForItself(in: self) == true {
      return refuse(waiting, .failed("the call waits for its own results"))
    }
    // Before it waits, as it may go on at once then.
    waiting.cancellation.start { [weak self, id = ObjectIdentifier(waiting.cancellation)] in
      self?.withdraw(id)
    }
    let (isKnown, isFull) = state.withLock { state in
      if state.reachable != nil { return (true, false) }
      guard state.queue.count < limit else { return (false, true) }
      state.queue.append(waiting)
      return (false, false)
    }
    if isFull { return refuse(waiting, .overloaded("\(limit) calls wait for the object already")) }
    return isKnown ? .goesOn : .waits
  }

  private func refuse(_ waiting: Waiting, _ error: RPCError) -> Admission {
    waiting.cancellation.end()
    waiting.responder.returnError(error)
    return .refused
  }

  /// A call that waits, by its cancellation, is not wanted any more.
  private func withdraw(_ id: ObjectIdentifier) {
    let waiting = state.withLock { state -> Waiting? in
      guard
        let index = state.queue.firstIndex(where: { ObjectIdentifier($0.cancellation) == id })
      else { return nil }
      return state.queue.remove(at: index)
    }
    waiting?.responder.returnError(.failed("the call was cancelled"))
  }
}
