package import CapTP
import CapnProto
import Synchronization

/// The caller's end of a call: its outcome, who waits for it, and what is pipelined on it.
package final class PendingCall: Caller {
  private struct State {
    var outcome: Outcome?
    var isDropped = false
    var lastWaiter: UInt64 = 0
    /// The promise that the call waits for, or last waited for.
    var promise: WaitedFor?
    var open = Open()
    /// Capabilities in results that were asked for before they were there: calls on one keep their
    /// order, however often it is asked for.
    var requested = PathMap<any CallTarget>()

    mutating func promise(at path: PipelinePath, keeping token: CallToken) -> QueuedCapability {
      if let known = open.promises[path] { return known }
      let promise = QueuedCapability(keeping: token)
      open.promises[path] = promise
      return promise
    }

    mutating func takeWaiter(_ id: UInt64) -> Waiter? {
      guard let index = open.waiters?.firstIndex(where: { $0.id == id }) else { return nil }
      return open.waiters?.remove(at: index)
    }
  }
  private struct Waiter {
    let id: UInt64
    let continuation: CheckedContinuation<Void, Never>
  }
  /// Apart, as a struct with a weak reference is not moved as bytes, and every call has a state.
  private final class WaitedFor: Sendable {
    weak let promise: QueuedCapability?
    init(_ promise: QueuedCapability) { self.promise = promise }
  }
  /// What a call has while it has no outcome. It is let go of outside of the lock. Most calls have none
  /// of what comes in arrays, and to let go of an empty one takes longer than of none.
  private struct Open {
    /// Where the call can be taken back.
    var route: CallRoute?
    var waiters: [Waiter]?
    /// Told the outcome, besides those who wait for it.
    var observers: [@Sendable (Outcome) -> Void]?
    /// Ends the call when its time is over.
    var timer: CallTimers.ID?
    /// Capabilities in results that this process will make: one for each path.
    var promises = PathMap<QueuedCapability>()

    /// Whether the outcome ends more than the call.
    var hasDependents: Bool { observers != nil || !promises.isEmpty }
  }
  private let state = Mutex(State())
  /// Whether the call has an outcome and keeps nothing else, at hand without the lock: to drop it is then
  /// nothing, as it mostly is.
  private let isSpent = Atomic(false)
  /// Whether the call was to wait for its turn in this process, which whoever awaits it may take.
  private let mayTakeTurn = Atomic(false)

  /// A call that is on its way.
  package init() {}

  /// A call that has failed before it was made.
  init(failed error: RPCError) { state.withLock { $0.outcome = .failure(error) } }

  /// Notes where the call went, so that it can be dropped.
  package func sent(_ route: consuming CallRoute?) {
    guard route != nil else { return }
    // Moved into its place: a copy costs as much as all else that is done here.
    let isDropped = state.withLock { state in
      guard state.outcome == nil else { return false }
      if case .turn(let call) = route, call.mayBeTaken {
        mayTakeTurn.store(true, ordering: .relaxed)
      }
      swap(&state.open.route, &route)
      return state.isDropped
    }
    if isDropped { drop() }
  }

  /// Notes that the call waits for the promise.
  ///
  /// - Returns: whether the promise is of the call's own results, perhaps by way of other calls: it
  ///   would wait for ever.
  func waitsForItself(in promise: QueuedCapability) -> Bool {
    let waitedFor = WaitedFor(promise)
    state.withLock { $0.promise = waitedFor }
    var producer = promise.producer
    // Calls that wait for each other's results are a chain of any length; circles are short. A longer
    // one is not seen, and its calls wait until they are cancelled.
    for _ in 0..<CapabilityChain.limit {
      guard let call = producer else { return false }
      if call === self { return true }
      producer = call.state.withLock { $0.promise }?.promise?.producer
    }
    return false
  }

  package func finish(_ outcome: consuming Outcome) {
    if let dependent = end(outcome, endsDependents: false) {
      NestedCompletion.run { _ = self.end(dependent, endsDependents: true) }
    }
  }

  /// Ends the call, unless it has ended, or has dependents that are not to end with it now.
  ///
  /// - Returns: The outcome if the call has dependents and did not end; else `nil`.
  private func end(_ outcome: consuming Outcome, endsDependents: Bool) -> Outcome? {
    var ended = Open()
    var outcome: Outcome? = outcome
    let (isFirst, mustWait) = state.withLock { state in
      guard state.outcome == nil else { return (false, false) }
      if !endsDependents, state.open.hasDependents { return (false, true) }
      swap(&state.outcome, &outcome)
      swap(&state.open, &ended)
      // Calls on them keep their order, however often they are asked for.
      if !ended.promises.isEmpty {
        for (path, promise) in ended.promises { state.requested[path] = promise }
      }
      if state.requested.isEmpty { isSpent.store(true, ordering: .releasing) }
      return (true, false)
    }
    if mustWait { return outcome }
    guard isFirst else { return nil }
    if let timer = ended.timer { CallTimers.shared.stop(timer) }
    // Copied for those who need it, whom most calls do not have.
    if !ended.promises.isEmpty, let outcome = outcomeSoFar {
      for (path, promise) in ended.promises { promise.resolve(Self.target(path, outcome)) }
    }
    ended.waiters?.forEach { $0.continuation.resume() }
    if let observers = ended.observers, let outcome = outcomeSoFar {
      for observer in observers { observer(outcome) }
    }
    return nil
  }

  /// Calls the body with the outcome, once it is there.
  func whenFinished(_ body: @escaping @Sendable (Outcome) -> Void) {
    let outcome = state.withLock { state -> Outcome? in
      if state.outcome == nil { state.open.observers.append(body) }
      return state.outcome
    }
    if let outcome { body(outcome) }
  }

  /// The outcome, if it is there.
  package var outcomeSoFar: Outcome? { state.withLock { $0.outcome } }

  /// The outcome, once it is there, for who has the number of `outcomeTakingTurn`.
  nonisolated(nonsending) func outcome(for id: UInt64) async throws -> SharedMessage {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.outcome != nil || Task.isCancelled { return true }
          state.open.waiters.append(Waiter(id: id, continuation: continuation))
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.takeWaiter(id) }?.continuation.resume()
    }
    if let outcome = state.withLock({ $0.outcome }) { return try outcome.get() }
    drop()
    throw CancellationError()
  }

  /// The outcome if it is there; else a number for who waits for it. If the call waits for its turn in
  /// this process, that is taken now, unless an actor awaits it: its thread is not for the methods of
  /// others.
  func outcomeTakingTurn(on isolation: (any Actor)?) -> (Outcome?, waiter: UInt64) {
    // A method must not see that its caller is cancelled.
    if isolation == nil, mayTakeTurn.load(ordering: .relaxed), let turn, !Task.isCancelled {
      turn.takeTurn()
    }
    return state.withLock { state in
      state.lastWaiter += 1
      return (state.outcome, state.lastWaiter)
    }
  }

  /// Where the call is if it is in this process and has not ended.
  private var turn: TurnCall? {
    state.withLock { if case .turn(let call) = $0.open.route { call } else { nil } }
  }

  /// Nobody wants the outcome any more.
  func drop() {
    if isSpent.load(ordering: .acquiring) { return }
    // Let go of outside of the lock.
    let (isOver, requested) = state.withLock { state in
      defer { state.requested = PathMap() }
      return (state.outcome != nil, state.requested)
    }
    withExtendedLifetime(requested) {}
    if isOver { return }
    if let route = takeRoute() { route.cancelNested() }
    // Another task may wait for the same call.
    finish(.failure(.failed("the call was cancelled")))
  }

  /// Where the call can be taken back, which is done once.
  private func takeRoute() -> CallRoute? {
    state.withLock { state in
      state.isDropped = true
      // The route refers to this object.
      return state.open.route.take()
    }
  }

  /// Gives the call so long from now on, in place of what it was given before.
  func setTimeout(_ timeout: Duration) {
    // The call may end, or be dropped, long before.
    let timer = CallTimers.shared.start(after: timeout) { [weak self] in self?.expire(timeout) }
    let stale = state.withLock { state in
      guard state.outcome == nil else { return timer as CallTimers.ID? }
      defer { state.open.timer = timer }
      return state.open.timer
    }
    if let stale { CallTimers.shared.stop(stale) }
  }

  private func expire(_ timeout: Duration) {
    let delay = state.withLock { $0.promise }?.promise?.delayReason
    end(
      .timedOut(
        after: timeout,
        delay.map {
          "the call has not ended within \(timeout): there is no connection: \($0.reason)"
        }))
  }

  /// Ends the call with the error, for the tasks that await it and for what was pipelined on it, and sends the
  /// callee a `Finish`. Nothing happens if it has ended.
  func end(_ error: RPCError) {
    let route = takeRoute()
    finish(.failure(error))
    route?.fail(error)
  }

  /// The capability at the path in the results, which need not be there yet.
  package func pipelined(_ path: PipelinePath, keeping token: CallToken) -> any CallTarget {
    enum Found {
      case target(any CallTarget)
      case outcome(Outcome)
      case remote(RPCConnection, QuestionID)
    }
    let found: Found = state.withLock { state in
      if let known = state.requested[path] { return .target(known) }
      if let outcome = state.outcome { return .outcome(outcome) }
      if case .remote(let connection, let question, _) = state.open.route {
        return .remote(connection, question)
      }
      return .target(state.promise(at: path, keeping: token))
    }
    switch found {
    case .target(let target): return target
    case .outcome(let outcome): return Self.target(path, outcome)
    case .remote(let connection, let question):
      if let target = connection.pipeline(question, path, caller: self) {
        return state.withLock { state in
          if let known = state.requested[path] { return known }
          state.requested[path] = target
          isSpent.store(false, ordering: .relaxed)
          return target
        }
      }
      // The call has returned in the meantime, and the outcome is about to come.
      return state.withLock { state in
        if let outcome = state.outcome { return Self.target(path, outcome) }
        return state.promise(at: path, keeping: token)
      }
    }
  }

  private static func target(_ path: PipelinePath, _ outcome: Outcome) -> any CallTarget {
    switch outcome {
    case .failure(let error): return BrokenCapability(error)
    case .success(let message):
      do {
        let hook = try path.capability(in: message.reader.`return`.results.content)
        return (hook as? any CallTarget) ?? BrokenCapability.null
      } catch {
        return BrokenCapability(.failed("the results are invalid: \(error)"))
      }
    }
  }
}

extension Optional where Wrapped: RangeReplaceableCollection {
  /// Adds the element to the collection, or to a new one.
  fileprivate mutating func append(_ element: Wrapped.Element) {
    if self?.append(element) == nil { self = Wrapped(CollectionOfOne(element)) }
  }
}
