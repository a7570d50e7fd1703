package import CapnProto

/// Where calls on a reference go now.
enum NodeState: Sendable {
  /// To the peer's export. It may be a promise, which a `Resolve` will turn into something else.
  case imported(ImportID)
  /// To what the path leads to in the results of a call that is still out.
  case pipelined(QuestionID, PipelinePath)
  /// To another node, which this one has turned out to be.
  case alias(NodeID)
  /// Nowhere yet: the peer's calls must come round first. They go to the hook when the embargo ends.
  case embargoed(any CapabilityHook)
  /// Nowhere yet: an answer of this side will contain it.
  case awaiting(AnswerID, PipelinePath)
  /// To a capability of this side.
  case local(any CapabilityHook)
  /// To nothing: each call fails. Apart, so that other states stay small.
  indirect case broken(RPCError)
}

extension NodeState {
  /// How the peer knows the node, which is imported or pipelined.
  func write(to target: MessageTarget.Builder) {
    switch self {
    case .imported(let id): target.importedCap = id.rawValue
    case .pipelined(let question, let path):
      let answer = target.initPromisedAnswer()
      answer.questionId = question.rawValue
      path.write(to: answer)
    default: break
    }
  }
}

/// Calls on a node wait until a disembargo has come back.
struct Embargo: Sendable {
  let node: NodeID
  /// When it was placed.
  let since: Duration
  /// Whether it has come back; the calls before it may still be on their way to their objects.
  var isReturned = false
}

/// Where a call is that did not go at once.
enum CallPlace: Sendable {
  /// In the queue of the node.
  case queued(NodeID)
  /// With the peer, as this question.
  case asked(QuestionID)
  /// Held back with others, as too many words are in flight.
  case held
}

/// A call that waits for its node.
enum QueuedCall: Sendable {
  case own(DeliveredCall, any Caller)
  case peers(DeliveredCall, AnswerToken)
  /// A disembargo that follows the calls before it.
  case echo(EmbargoID)
}

/// A reference to a capability behind the connection.
struct Node: Sendable {
  var state: NodeState
  /// Handles, aliases, embargoes, calls in flight and a queue that is not empty need the node.
  var holders = 0
  /// Whether a call went to the peer: then its resolution to this side needs an embargo.
  var hasSentCalls = false
  var seldom = Seldom<Waiting>()

  /// Who waits for the node.
  struct Waiting: InitiallyEmpty, Sendable {
    var queue: [QueuedCall] = []
    var watchers: [ExportToken] = []
    var observers: [any ReferenceWatcher] = []
  }
}

extension Node {
  /// The node that this one has turned out to be.
  var alias: NodeID? { if case .alias(let next) = state { next } else { nil } }

  /// Whether calls on it go to the peer now.
  var leadsToPeer: Bool {
    switch state {
    case .imported, .pipelined: true
    case .alias, .embargoed, .awaiting, .local, .broken: false
    }
  }

  /// One holder less.
  ///
  /// - Returns: whether it was the last.
  mutating func letGo() -> Bool {
    holders -= 1
    return holders <= 0
  }

  /// A call on the node goes to the peer, and keeps the node until it has ended.
  ///
  /// - Returns: where it goes.
  mutating func noteCall() -> NodeState {
    holders += 1
    hasSentCalls = true
    return state
  }

  /// It has turned out to be that.
  ///
  /// - Returns: the calls that waited for it, and the exports that it stands behind.
  mutating func become(_ state: NodeState) -> (queue: [QueuedCall], watchers: [ExportToken]) {
    self.state = state
    guard !seldom.isEmpty else { return ([], []) }
    defer {
      queue = []
      watchers = []
    }
    return (queue, watchers)
  }

  /// Calls that wait while the state is `embargoed` or `awaiting`, oldest first.
  var queue: [QueuedCall] {
    get { seldom.value.queue }
    _modify { yield &seldom.value.queue }
  }

  /// Exports that the peer knows as promises and that this node stands behind.
  var watchers: [ExportToken] {
    get { seldom.value.watchers }
    _modify { yield &seldom.value.watchers }
  }

  /// Told when the state changes.
  var observers: [any ReferenceWatcher] {
    get { seldom.value.observers }
    _modify { yield &seldom.value.observers }
  }
}

extension Connection {
  mutating func addNode(_ state: NodeState) -> NodeID { nodes.add(Node(state: state)) }

  /// A handle for the runtime, which keeps the node.
  mutating func handle(_ id: NodeID) -> any ReferenceHandle {
    nodes.update(id) { $0.holders += 1 }
    return reference(to: id)
  }

  // Apart, as a closure is counted when it is called where what holds it may change.
  private func reference(to id: NodeID) -> any ReferenceHandle {
    makeHandle(token, id, descriptorOf == nil ? nil : descriptor(of: id))
  }

  /// The node at the end of the aliases, which are never circular.
  func settled(_ id: NodeID) -> NodeID {
    var id = id
    while case .some(.some(let next)) = nodes.look(id, { $0.alias }) { id = next }
    return id
  }

  /// Returns the node at the end of the aliases, to which each node on the way refers directly from
  /// then on: however many promises of the peer resolve to one another, calls pass none of them twice.
  mutating func shortened(_ id: NodeID) -> NodeID {
    guard case .some(.some(let next)) = nodes.look(id, { $0.alias }) else { return id }
    guard case .some(.some) = nodes.look(next, { $0.alias }) else { return next }
    let end = settled(next)
    var passed: [NodeID] = []
    var node = id
    while case .some(.some(let next)) = nodes.look(node, { $0.alias }), next != end {
      nodes.update(node) { $0.state = .alias(end) }
      nodes.update(end) { $0.holders += 1 }
      passed.append(next)
      node = next
    }
    for node in passed { releaseNode(node) }
    return end
  }

  /// The state of the node that the aliases lead to.
  func state(_ id: NodeID) -> NodeState {
    nodes.look(settled(id)) { $0.state } ?? .broken(.failed("the reference is gone"))
  }

  /// The capability of this side that the reference has turned out to be; nil for any other.
  package func localCapability(_ reference: NodeID) -> (any CapabilityHook)? {
    if case .local(let hook) = state(reference) { hook } else { nil }
  }

  /// The runtime holds one handle less.
  public mutating func dropReference(_ id: NodeID) { releaseNode(id) }

  mutating func releaseNode(_ first: NodeID) {
    var id = first
    while true {
      guard nodes.update(id, { $0.letGo() }) == true, let node = nodes.remove(id) else { return }
      switch node.state {
      case .imported(let imported): releaseImport(imported, id)
      case .pipelined(let question, let path):
        questions.update(question) { $0.forget(id, at: path) }
        releaseQuestion(question)
      case .alias(let next):
        id = next
        continue
      case .awaiting(let answer, let path):
        answers[answer]?.nodes[path] = nil
        cancelIfUnwanted(answer)
      case .embargoed(let hook), .local(let hook): emit(.discard(hook))
      case .broken: break
      }
      return
    }
  }

  /// Turns the node, whose calls went to the peer, into what it has turned out to be. It is
  /// reflected if the peer named a capability of this side: calls that went out come back then,
  /// wherever they go on to, and later ones must not overtake them. The target is how the peer knows
  /// the node, for a disembargo.
  mutating func resolve(
    _ id: NodeID, to outcome: Result<(any CapabilityHook)?, RPCError>, isReflected: Bool,
    target: (MessageTarget.Builder) -> Void
  ) {
    guard let (way, hasSentCalls) = nodes.look(id, { ($0.state, $0.hasSentCalls) }) else { return }
    switch outcome {
    case .failure(let error): settle(id, .broken(error))
    case .success(nil): settle(id, .broken(Self.nullCall))
    case .success(.some(let hook)):
      if let pin = own(hook).map({ settled($0) }), pin != id, isPin(pin, of: way) {
        // The peer leads the promise back to itself: so would calls go that are under way.
        unpin(pin)
        settle(pin, .broken(Self.circle))
        settle(id, .broken(Self.circle))
        return
      }
      guard isReflected, hasSentCalls, failure == nil, !leadsNowhere(hook, but: id) else {
        settle(id, to: hook)
        return
      }
      nodes[id]?.state = .embargoed(hook)
      nodes[id]?.holders += 1
      let embargo = embargoes.add(Embargo(node: id, since: clock()))
      send {
        let disembargo = $0.initDisembargo()
        target(disembargo.initTarget())
        disembargo.context.senderLoopback = embargo.rawValue
      }
    }
  }

  static let nullCall = RPCError.failed("called a null capability")
  private static let circle = RPCError.failed("the promise resolved to itself")

  private func isPin(_ pin: NodeID, of state: NodeState) -> Bool {
    switch state {
    case .imported(let id): imports[id]?.pin == pin
    case .pipelined(let question, let path): questions[question]?.pins[path] == pin
    default: false
    }
  }

  /// The node does not stand any more for what it was pinned to.
  private mutating func unpin(_ pin: NodeID) {
    switch nodes[pin]?.state {
    case .imported(let id): releaseImport(id, pin)
    case .pipelined(let question, let path):
      questions[question]?.pins[path] = nil
      releaseQuestion(question)
    default: break
    }
  }

  /// Whether calls on the capability fail, or would go back to the node.
  private func leadsNowhere(_ hook: any CapabilityHook, but id: NodeID) -> Bool {
    guard let own = own(hook) else { return false }
    if case .broken = state(own) { return true }
    return settled(own) == id
  }

  /// The node is the capability: another node's, or one of this side.
  mutating func settle(_ id: NodeID, to hook: any CapabilityHook) {
    guard let own = own(hook) else {
      settle(id, .local(hook))
      return
    }
    let other = shortened(own)
    guard !leads(hook, backTo: id) else {
      settle(id, .broken(Self.circle))
      return
    }
    let hasSentCalls = nodes.look(id) { $0.hasSentCalls } == true
    nodes.update(other) { node in
      node.holders += 1
      if hasSentCalls { node.hasSentCalls = true }
    }
    settle(id, .alias(other))
  }

  /// Whether calls on the capability come to the node, by way of references that have resolved to
  /// promises of this side. A chain over the limit is taken for a circle.
  private mutating func leads(_ hook: any CapabilityHook, backTo id: NodeID) -> Bool {
    var isFound = false
    let end = CapabilityChain.end(of: hook) { hook -> (any CapabilityHook)? in
      guard let own = own(hook) else { return nil }
      let node = shortened(own)
      isFound = node == id
      if isFound { return nil }
      switch state(node) {
      case .local(let next), .embargoed(let next): return next
      default: return nil
      }
    }
    return isFound || end == nil
  }

  /// Where the peer's calls on the capability go: to the node of this connection, or to the capability
  /// where that is elsewhere. A chain over the limit is not followed at all, and its calls fail.
  mutating func destination(
    of hook: any CapabilityHook
  ) -> (hook: any CapabilityHook, node: NodeID?) {
    // Most are objects.
    if !hook.isPromise, own(hook) == nil { return (hook, nil) }
    var node: NodeID?
    let end = CapabilityChain.end(of: Self.followed(hook)) { hook -> (any CapabilityHook)? in
      guard let own = own(hook) else {
        node = nil
        return nil
      }
      node = shortened(own)
      guard case .local(let inner) = state(own) else { return nil }
      return Self.followed(inner)
    }
    guard let end else { return (hook, nil) }
    return (end, node)
  }

  /// Gives the node its new state and lets the calls that waited go there.
  mutating func settle(_ id: NodeID, _ state: NodeState) {
    guard let (queue, watchers) = nodes.update(id, { $0.become(state) }) else { return }
    notifyObservers(of: id)
    queuedCalls -= queue.count
    for call in queue { route(call, to: id) }
    for watcher in watchers {
      switch self.state(id) {
      case .broken(let error): resolveExport(watcher, .failure(error))
      case .local(let hook): resolveExport(watcher, .success(hook))
      default:
        let handle = handle(id)
        resolveExport(watcher, .success(handle))
      }
    }
    if !queue.isEmpty { releaseNode(id) }
  }

  /// Ends an embargo: the peer has sent back all calls that were made before it.
  mutating func liftEmbargo(_ embargo: EmbargoID) {
    guard let id = embargoes.remove(embargo)?.node else { return }
    if case .embargoed(let hook) = nodes[id]?.state {
      nodes[id]?.hasSentCalls = false
      settle(id, to: hook)
    }
    releaseNode(id)
  }

  /// The node of the hook, if it is a reference of this connection. Promises are followed.
  @inline(__always)
  func own(_ hook: any CapabilityHook) -> NodeID? { Self.node(of: hook, in: token) }

  private static func node(of hook: any CapabilityHook, in token: ConnectionToken) -> NodeID? {
    // Most are no promises, and are not counted then.
    let number = hook.isPromise ? followed(hook).number(of: token) : hook.number(of: token)
    return number.map { NodeID(rawValue: $0.rawValue) }
  }

  /// What the hook stands for as far as it is known. A chain over the limit is not followed.
  static func followed(_ hook: any CapabilityHook) -> any CapabilityHook {
    let end = CapabilityChain.end(of: hook) { hook in
      hook.isPromise ? (hook as? any PromiseHook)?.resolution : nil
    }
    return end ?? hook
  }

  mutating func failQueue(_ queue: [QueuedCall], _ error: RPCError) {
    queuedCalls -= queue.count
    for call in queue { refuse(call, error) }
  }
}
