// The runtime's half of a connection: an engine behind a mutex, and who does what it asks for.
//
// Any thread may make a call: it takes the lock, moves the engine on, and hands the messages that
// come out to the transport, in order. What the engine wants done to objects of this process (its
// effects) is never done under the lock nor on the caller's stack, but in order on the connection's
// executor, by one drainer at a time: that keeps calls in their order and the receive loop free of
// application code that waits.

public import CapTP
public import CapnProto
public import Logging
import Synchronization

/// A connection to another vat.
///
/// It is open until one of its ends closes it, whether or not anything refers to it: its transport keeps it.
/// From then on every call on it, and on capabilities that came over it, fails with `disconnected`.
public final class RPCConnection: Sendable {
  private let state: Mutex<State>
  private let dropped = DroppedReferences()
  let limits: ConnectionLimits
  private let transport: any MessageTransport
  private let carriesDescriptors: Bool
  private let executor: any ConnectionExecutor
  let logger: Logger
  /// Who is told of messages; nil if nobody is, which is then all that it costs.
  private let onlookers: Onlookers?

  /// A connection over a transport that is open.
  ///
  /// - Parameters:
  ///   - bootstrap: the capability that the peer gets first; nil if this vat offers none.
  ///   - limits: what the peer may make this side hold.
  ///   - transport: carries the messages. It gives what arrives to ``receive(_:with:)``.
  ///   - executor: where the work of the connection runs.
  ///   - logger: gets what goes wrong.
  ///   - observers: are told what happens.
  public init(
    bootstrap: Capability?, limits: ConnectionLimits = ConnectionLimits(),
    transport: any MessageTransport, executor: any ConnectionExecutor,
    logger: Logger = Logger(label: "capnp.rpc"), observers: [any ConnectionObserver] = []
  ) {
    onlookers = observers.isEmpty ? nil : Onlookers(observers)
    self.limits = limits
    self.transport = transport
    carriesDescriptors = transport.descriptorLimit > 0
    self.executor = executor
    self.logger = logger
    let link = ConnectionLink()
    state = Mutex(
      State(
        engine: Connection(
          bootstrap: bootstrap?.target, limits: limits, clock: Self.clock,
          descriptorOf: carriesDescriptors ? Self.descriptor : nil
        ) { token, node, descriptor in
          RemoteCapability(link.connection, token, node, descriptor as? OpenDescriptor)
        }))
    link.connection = self
    onlookers?.opened()
  }

  /// The peer's bootstrap capability. Calls can be made on it at once.
  public func bootstrap<Client: CapabilityClient>(as: Client.Type = Client.self) -> Client {
    bootstrapCapability().cast()
  }

  /// The peer's bootstrap capability, without a type.
  public func bootstrapCapability() -> Capability {
    let handle = perform { $0.bootstrap() }
    guard let target = handle as? any CallTarget else {
      return Capability(broken: .disconnected("the connection is closed"))
    }
    return Capability(target)
  }

  /// Sets the capability that the peer gets first, in place of the one before.
  public func offer(_ bootstrap: Capability?) {
    // What was offered before is let go of outside of the lock.
    let before = state.withLock { state in
      defer { if state.engine.failure == nil { state.engine.bootstrapHook = bootstrap?.target } }
      return state.engine.bootstrapHook
    }
    withExtendedLifetime(before) {}
  }

  /// Takes a message that arrived, with the descriptors that came along with it.
  public func receive(_ message: consuming MessageReader, with descriptors: [OpenDescriptor] = []) {
    // Only what arrives is worked off at once: a call must not run objects on its caller's stack.
    let isHere = executor.isCurrent
    var box: MessageReader? = message
    var effect: Effect?
    let due = state.withLock { state in
      state.messagesReceived += 1
      if let message = box.take() {
        // What comes after the end means nothing, and nobody would end what onlookers keep for it.
        if state.engine.failure == nil { onlookers?.received(message) }
        state.engine.receive(message, with: descriptors)
      }
      let due = settle(&state)
      if due.drain, isHere { effect = nextEffect(&state) }
      return due
    }
    if due.write { transport.writeGathered() }
    if isHere { drain(consume effect) } else if due.drain { scheduleDrain() }
  }

  /// Ends the connection: every call that waits, and every later one, fails with `disconnected`.
  public func close() { disconnect(.disconnected("the connection was closed by this side")) }

  /// The transport is closed, or failed. As ``close()``, with the error for the calls: `disconnected`, or
  /// `failed` if the next connection would fail as well.
  public func disconnect(_ error: RPCError) { perform { $0.disconnect(error) } }

  /// Tells the peer why, and ends the connection.
  public func abort(_ reason: String) { perform { $0.abort(reason) } }

  /// Waits until the connection is over, and says why it is.
  ///
  /// - Throws: `CancellationError` if the task is cancelled before.
  public func closed() async throws -> RPCError {
    let id = state.withLock { state in
      state.lastCloseWaiter += 1
      return state.lastCloseWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.failure != nil || Task.isCancelled { return true }
          state.closeWaiters[id] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.closeWaiters.removeValue(forKey: id) }?.resume()
    }
    guard let failure = state.withLock({ $0.failure }) else { throw CancellationError() }
    return failure
  }

  /// Runs tasks where the connection's work is done; nil if the transport has no such place.
  ///
  /// A task that makes one call after the other is faster there, as neither the call nor its results
  /// change threads: `withTaskExecutorPreference(connection.taskExecutor) { ... }`. It must not block
  /// or compute for long: the connection, and others beside it, wait for it meanwhile.
  public var taskExecutor: (any TaskExecutor)? { executor.taskExecutor }

  /// What the connection holds and has done, and how often each limit was reached.
  public var statistics: ConnectionStatistics {
    flushDropped()
    return state.withLock { state in
      var statistics = state.engine.statistics
      statistics.messagesSent = state.messagesSent
      statistics.messagesReceived = state.messagesReceived
      return statistics
    }
  }

  /// Notes that a limit was reached which the transport keeps, unless the connection is over.
  public func note(_ limit: ConnectionLimit) {
    state.withLock { state in
      if state.engine.failure == nil { state.engine.note(limit) }
    }
  }

  /// Entries in the connection's tables.
  public var tableSizes: TableSizes { statistics.tables }

  /// What the connection's tables hold, for people: what a program that is stuck waits for, and how
  /// long. `tables.text(names:)` puts it into words.
  public var tables: ConnectionTables {
    flushDropped()
    return state.withLock { state in
      var tables = state.engine.tables { hook in
        (hook as? LocalCapability)?.interface.name ?? "\(type(of: hook))"
      }
      tables.corkedMessages = state.corked?.count ?? 0
      return tables
    }
  }

  /// Whether code runs under the connection's lock. In a simulation, which has one thread, that is the
  /// code that called what asks: nothing of an application may be there.
  package var isLocked: Bool { state.withLockIfAvailable { _ in () } == nil }

  private static let descriptor: DescriptorLookup = { hook in
    (hook as? any CallTarget)?.attachedDescriptor
  }

  private static let epoch = ContinuousClock.now
  private static let clock: @Sendable () -> Duration = { ContinuousClock.now - epoch }

  /// Keeps messages back from now on, in order, until ``flush()`` or ``uncork()`` sends them: calls
  /// that are made in between go out together.
  ///
  /// An answer to the peer waits as well, so a cork is for a short while. It ends with the
  /// connection.
  public func cork() {
    state.withLock { state in
      if state.corked == nil, state.engine.failure == nil { state.corked = [] }
    }
  }

  /// Sends what was kept back, and goes on keeping back what comes later.
  public func flush() { sendCorked(thenCorked: []) }

  /// Sends what was kept back, and from now on each message at once.
  public func uncork() { sendCorked(thenCorked: nil) }

  private func sendCorked(thenCorked: [Outgoing]?) {
    // Let go of outside of the lock: the peer may have released, meanwhile, what only they held.
    let (corked, due) = state.withLock { state -> ([Outgoing]?, Due) in
      let corked = state.corked
      if let corked {
        state.corked = thenCorked
        for outgoing in corked { send(outgoing, &state) }
      }
      return (corked, settle(&state))
    }
    withExtendedLifetime(corked) {}
    see(to: due)
  }

  // MARK: For the capabilities behind the connection

  func call(_ node: NodeID, _ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    var box: OutgoingCall? = call
    var cancellation: CallCancellation?
    let route = perform { engine -> CapTP.CallRoute in
      guard let call = box.take() else { return .local }
      return engine.call(node, call, caller: caller) {
        let waiting = WaitingCaller(caller)
        waiting.cancellation.start { self.dropCall(waiting) }
        cancellation = waiting.cancellation
        return waiting
      }
    }
    if case .question(let question) = route { return .remote(self, question, caller) }
    return cancellation.map { .local($0) }
  }

  private func dropCall(_ waiting: WaitingCaller) {
    perform { $0.dropCall(waiting) }
    waiting.wasDropped()
  }

  func pipeline(
    _ question: QuestionID, _ path: PipelinePath, caller: any Caller
  ) -> RemoteCapability? {
    perform { $0.pipeline(question, path, caller: caller) } as? RemoteCapability
  }

  func dropQuestion(_ question: QuestionID, caller: any Caller) {
    perform { $0.dropQuestion(question, caller: caller) }
  }

  func failQuestion(_ question: QuestionID, _ error: RPCError, caller: any Caller) {
    perform { engine in
      if error.isTimeout { engine.note(.callTimeout) }
      engine.failQuestion(question, error, caller: caller)
    }
  }

  func status(
    of node: NodeID, notifying watcher: CapabilityWatcher?
  ) -> ReferenceStatus {
    if let watcher {
      watcher.whenForgotten { [weak self] in
        self?.perform { $0.forget(watcher, of: node) }
      }
    }
    return state.withLock { $0.engine.status(of: node, notifying: watcher) }
  }

  func isSame(_ first: NodeID, _ second: NodeID) -> Bool {
    state.withLock { $0.engine.isSame(first, second) }
  }

  func localCapability(_ node: NodeID) -> (any CapabilityHook)? {
    state.withLock { $0.engine.localCapability(node) }
  }

  func descriptor(_ node: NodeID) -> OpenDescriptor? {
    state.withLock { $0.engine.descriptor(of: node) } as? OpenDescriptor
  }

  /// A reference is not held any more. It may be dropped anywhere, even under the lock, hence it
  /// is noted, and the engine told with the next call, or in a turn of its own.
  func referenceDropped(_ node: NodeID, _ descriptor: OpenDescriptor?) {
    let reference = DroppedReferences.Reference(node: node, descriptor: descriptor)
    guard dropped.add(reference) else { return }
    executor.execute {
      self.dropped.turnBegins()
      self.flushDropped()
    }
  }

  private func flushDropped() { if !dropped.isEmpty { perform { _ in } } }

  // MARK: For the responders of the peer's calls

  func returnResults(_ message: consuming MessageBuilder, for answer: AnswerToken) {
    var box: MessageBuilder? = message
    endHandler(of: answer) {
      if let message = box.take() { $0.returnResults(message, for: answer) }
    }
  }

  func returnError(_ error: RPCError, for answer: AnswerToken) {
    endHandler(of: answer) { $0.returnError(error, for: answer) }
  }

  func noteCopy(words: Int, for answer: AnswerToken) {
    state.withLock { $0.engine.noteCopy(words: words, for: answer) }
  }

  /// The answer is given, and `deliver` notes no handler of it any more.
  private func endHandler(of answer: AnswerToken, _ body: (inout Connection) -> Void) {
    let (handler, due) = state.withLock { state in
      body(&state.engine)
      return (state.takeHandler(of: answer), settle(&state))
    }
    // Let go of outside of the lock.
    withExtendedLifetime(handler) {}
    see(to: due)
  }

  // MARK: Moving the engine

  @discardableResult
  private func perform<Value: Sendable>(_ body: (inout Connection) -> Value) -> Value {
    let dropped = dropped.take()
    let (value, due) = state.withLock { state in
      for reference in dropped { state.engine.dropReference(reference.node) }
      let value = body(&state.engine)
      return (value, settle(&state))
    }
    see(to: due)
    // Descriptors are closed here, which may take long.
    withExtendedLifetime(dropped) {}
    return value
  }

  /// Sends what the engine has to say.
  private func settle(_ state: inout State) -> Due {
    sendMessages(&state)
    holdBack(&state)
    var due = Due(write: state.mustWrite)
    state.mustWrite = false
    if !state.isDraining, state.engine.hasSteps {
      state.isDraining = true
      due.drain = true
    }
    return due
  }

  private func see(to due: Due) {
    if due.write { transport.writeGathered() }
    if due.drain { scheduleDrain() }
  }

  private func scheduleDrain() {
    executor.execute { self.drain(self.state.withLock { self.nextEffect(&$0) }) }
  }

  private func sendMessages(_ state: inout State) {
    while let message = state.engine.nextMessage() {
      let descriptors = carriesDescriptors ? state.engine.takeDescriptors() : []
      if state.corked == nil {
        send(message, with: descriptors, &state)
      } else {
        state.corked?.append(Outgoing(message: message, descriptors: descriptors))
      }
    }
    if state.corked != nil, state.engine.failure != nil, let corked = state.corked.take() {
      for outgoing in corked { send(outgoing, &state) }
      state.lastCorked = corked
    }
  }

  /// Holds the peer back if too much of its calls waits, and lets it go on once it does not.
  private func holdBack(_ state: inout State) {
    let isReading = !state.engine.isFull
    if state.isReading != isReading {
      state.isReading = isReading
      transport.setReading(isReading)
    }
  }

  private func send(_ outgoing: Outgoing, _ state: inout State) {
    send(outgoing.message, with: outgoing.descriptors, &state)
  }

  private func send(
    _ message: consuming SharedMessage, with descriptors: [any AttachedDescriptor],
    _ state: inout State
  ) {
    state.messagesSent += 1
    if let onlookers { message = onlookers.sent(message) }
    let descriptors = descriptors.isEmpty ? [] : descriptors.compactMap { $0 as? OpenDescriptor }
    if transport.send(message, with: descriptors) { state.mustWrite = true }
  }

  /// What is to be done next; nil ends the draining.
  private func nextEffect(_ state: inout State) -> Effect? {
    let effect = state.engine.nextEffect()
    sendMessages(&state)
    if !state.isReading { holdBack(&state) }
    if effect == nil { state.isDraining = false }
    return effect
  }

  /// Does what is to be done, from that on. Effects are moved: a copy of one has a count for each thing
  /// in it.
  private func drain(_ first: consuming Effect?) {
    var effect = consume first
    while true {
      guard let next = consume effect else { return }
      run(consume next)
      effect = state.withLock { nextEffect(&$0) }
    }
  }

  private func run(_ effect: consuming Effect) {
    switch consume effect {
    case .deliver(let call, let hook, let answer):
      if let onlookers {
        onlookers.serve(answer) { deliver(call, to: hook, answer: answer) }
      } else {
        deliver(call, to: hook, answer: answer)
      }
    case .forward(let call, let hook, let caller):
      guard let target = hook as? any CallTarget else { return }
      let route = target.deliver(call, responder: CallerResponder(caller: caller))
      (caller as? WaitingCaller)?.cancellation.follow(route)
    case .finish(let caller, let outcome): caller.finish(outcome)
    case .cancel(let answer): state.withLock { $0.takeHandler(of: answer) }?.cancel()
    case .watch(let promise, let token):
      guard let promise = promise as? QueuedCapability else { return }
      promise.whenResolved(for: watcher(token)) { [weak self] target in
        self?.perform { $0.resolveExport(token, .success(target)) }
      }
    case .unwatch(let promise, let token):
      (promise as? QueuedCapability)?.forget(watcher(token))
    case .notify(let watcher): watcher.referenceChanged()
    case .discard, .discardMessage, .discardDescriptor: break
    case .close(let error): finish(error)
    }
  }

  private func watcher(_ export: ExportToken) -> QueuedCapability.Watcher {
    .export(export, of: ObjectIdentifier(self))
  }

  private func deliver(
    _ call: consuming DeliveredCall, to hook: any CapabilityHook, answer: AnswerToken
  ) {
    let responder = AnswerResponder(connection: self, answer: answer)
    // It mostly is of this class, to which a cast costs much less than to a protocol.
    guard let target: any CallTarget = hook as? LocalCapability ?? hook as? any CallTarget else {
      responder.returnError(.failed("the capability cannot be called"))
      return
    }
    guard let route = target.deliver(call, responder: responder) else { return }
    state.withLock { state in
      // Once the connection has failed it knows no answers; the handlers are cancelled after this.
      if state.engine.isRunning(answer) || state.engine.failure != nil {
        state.handlers[answer] = route
      }
    }
  }

  private func finish(_ error: RPCError) {
    // The peer may have chosen the words.
    let reason = MessageSummary.printable(error.reason.utf8)
    logger.debug("connection closed", metadata: ["reason": "\(reason)"])
    onlookers?.closed(error)
    transport.close()
    let (waiters, handlers, corked) = state.withLock { state in
      state.failure = error
      defer {
        state.closeWaiters = [:]
        state.handlers = [:]
        state.lastCorked = nil
      }
      return (state.closeWaiters, state.handlers, state.lastCorked)
    }
    // What was to be cancelled is; the rest had answered. Let go of outside of the lock.
    withExtendedLifetime((handlers, corked)) {}
    for waiter in waiters.values { waiter.resume() }
  }
}
