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
  /// Nowhere yet: the calls that waited are on their way to the other node, which this one then is.
  case draining(to: NodeID)
  /// Nowhere yet: an answer of this side will contain it.
  case awaiting(AnswerID, PipelinePath)
  /// To a capability of this side.
  case local(any CapabilityHook)
  /// To nothing: each call fails.
  case broken(RPCError)
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
  /// Calls that wait while the state is `embargoed` or `awaiting`, oldest first.
  var queue: [QueuedCall] = []
  /// Exports that the peer knows as promises and that this node stands behind.
  var watchers: [ExportToken] = []
}

extension Connection {
  mutating func addNode(_ state: NodeState) -> NodeID { nodes.add(Node(state: state)) }

  /// A handle for the runtime, which keeps the node.
  mutating func handle(_ id: NodeID) -> any ReferenceHandle {
    nodes[id]?.holders += 1
    return makeHandle(token, id)
  }

  /// The node at the end of the aliases, which are never circular.
  func settled(_ id: NodeID) -> NodeID {
    var id = id
    while case .alias(let next) = nodes[id]?.state { id = next }
    return id
  }

  /// The node at the end of the aliases, and of those that are about to be.
  func destination(_ id: NodeID) -> NodeID {
    var id = id
    while true {
      switch nodes[id]?.state {
      case .alias(let next), .draining(let next): id = next
      default: return id
      }
    }
  }

  /// The state of the node that the aliases lead to.
  func state(_ id: NodeID) -> NodeState {
    nodes[settled(id)]?.state ?? .broken(.failed("the reference is gone"))
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
      guard let node = nodes[id] else { return }
      nodes[id]?.holders -= 1
      guard node.holders <= 1 else { return }
      nodes.remove(id)
      switch node.state {
      case .imported(let imported): releaseImport(imported)
      case .pipelined(let question, let path):
        questions[question]?.nodes[path] = nil
        releaseQuestion(question)
      case .alias(let next), .draining(let next):
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

  /// Turns the node, whose calls went to the peer, into what it has turned out to be. The target
  /// is how the peer knows the node, for a disembargo.
  mutating func resolve(
    _ id: NodeID, to outcome: Result<(any CapabilityHook)?, RPCError>,
    target: (MessageTarget.Builder) -> Void
  ) {
    guard let node = nodes[id] else { return }
    switch outcome {
    case .failure(let error): settle(id, .broken(error))
    case .success(nil): settle(id, .broken(.failed("called a null capability")))
    case .success(.some(let hook)):
      let handle = own(hook)
      if let handle, destination(handle.node) == id {
        settle(id, .broken(.failed("the promise resolved to itself")))
      } else if let handle, !(node.hasSentCalls && leadsHere(handle.node)) {
        let other = settled(handle.node)
        nodes[other]?.holders += 1
        if node.hasSentCalls { nodes[other]?.hasSentCalls = true }
        settle(id, .alias(other))
      } else if node.hasSentCalls, failure == nil {
        // Calls that went out come back through the peer; later ones must not overtake them.
        nodes[id]?.state = .embargoed(hook)
        nodes[id]?.holders += 1
        let embargo = embargoes.add(id)
        send {
          let disembargo = $0.initDisembargo()
          target(disembargo.initTarget())
          disembargo.context.senderLoopback = embargo.rawValue
        }
      } else {
        settle(id, .local(hook))
      }
    }
  }

  /// Whether calls on the node stay on this side.
  private func leadsHere(_ id: NodeID) -> Bool {
    switch state(id) {
    case .embargoed, .awaiting, .local: true
    case .imported, .pipelined, .alias, .draining, .broken: false
    }
  }

  /// Gives the node its new state and lets the calls that waited go there.
  ///
  /// Calls go on to the peer by way of the runtime. Until they are there, later ones must wait, or
  /// they would overtake them.
  mutating func settle(_ id: NodeID, _ state: NodeState) {
    guard let node = nodes[id] else { return }
    nodes[id]?.queue = []
    queuedCalls -= node.queue.count
    if !node.queue.isEmpty, case .alias(let other) = state, leadsToPeer(other) {
      nodes[id]?.state = .draining(to: other)
      for call in node.queue { route(call, to: other) }
      emit(.drained(id))
      return
    }
    nodes[id]?.state = state
    nodes[id]?.watchers = []
    for call in node.queue { route(call, to: id) }
    for watcher in node.watchers {
      switch self.state(id) {
      case .broken(let error): resolveExport(watcher, .failure(error))
      case .local(let hook): resolveExport(watcher, .success(hook))
      default:
        let handle = handle(id)
        resolveExport(watcher, .success(handle))
      }
    }
    if !node.queue.isEmpty { releaseNode(id) }
  }

  /// The calls that waited for the node have been made where it leads; those that came meanwhile
  /// follow.
  public mutating func drained(_ id: NodeID) {
    guard case .draining(let other) = nodes[id]?.state else { return }
    settle(id, .alias(other))
    // What drained held the node; if something drains again, its queue does.
    releaseNode(id)
  }

  private func leadsToPeer(_ id: NodeID) -> Bool {
    switch state(id) {
    case .imported, .pipelined: true
    case .alias, .draining, .embargoed, .awaiting, .local, .broken: false
    }
  }

  /// Ends an embargo: the peer has sent back all calls that were made before it.
  mutating func liftEmbargo(_ embargo: EmbargoID) throws(ProtocolViolation) {
    guard let id = embargoes.remove(embargo) else {
      throw ProtocolViolation("Disembargo names an embargo that was not placed")
    }
    if case .embargoed(let hook) = nodes[id]?.state { settleAnswered(id, hook) }
    releaseNode(id)
  }

  /// The reference behind the hook, if it is one of this connection. Promises are followed.
  func own(_ hook: any CapabilityHook) -> (any ReferenceHandle)? {
    guard let handle = Self.followed(hook) as? any ReferenceHandle, handle.token === token else {
      return nil
    }
    return handle
  }

  /// What the hook stands for as far as it is known. A promise chain of absurd length is cut off.
  static func followed(_ hook: any CapabilityHook) -> any CapabilityHook {
    var hook = hook
    for _ in 0..<64 {
      guard let promise = hook as? any PromiseHook, let next = promise.resolution else { break }
      hook = next
    }
    return hook
  }

  mutating func failQueue(_ queue: [QueuedCall], _ error: RPCError) {
    queuedCalls -= queue.count
    for call in queue { refuse(call, error) }
  }
}
