extension Connection {
  /// Ends the connection for a rule that the peer broke, and tells the peer which.
  public mutating func abort(_ rule: String) {
    guard failure == nil else { return }
    send { RPCError.failed(rule).write(to: $0.abortField) }
    disconnect(.disconnected("the connection was aborted: \(rule)"))
  }

  /// Ends the connection: each call fails, waiting or later, and whatever only the peer held is let
  /// go of.
  public mutating func disconnect(_ error: RPCError) {
    guard failure == nil else { return }
    failure = error
    for id in questions.ids {
      if case .caller(let caller) = questions[id]?.asker {
        emit(.finish(caller, .failure(error)))
      }
      forgetQuestion(id)
    }
    for (id, answer) in answers.entries {
      if !answer.hasOutcome { emit(.cancel(AnswerToken(id: id, serial: answer.serial))) }
      if case .success(let message) = answer.outcome { emit(.discardMessage(message)) }
    }
    answers = PeerTable()
    wordsInFlight = 0
    discardHeld()
    imports = PeerTable()
    if descriptorOf != nil {
      for descriptor in descriptors.all { emit(.discardDescriptor(descriptor)) }
      descriptors = DescriptorTable()
    }
    for id in nodes.ids { breakNode(id, error) }
    for id in embargoes.ids {
      if let embargo = embargoes.remove(id) { releaseNode(embargo.node) }
    }
    for id in exports.ids {
      if let export = exports.remove(id) { discard(export, id) }
    }
    exportIDs = [:]
    waiting = [:]
    // It may lead back to the connection, which would then keep itself.
    if let hook = bootstrapHook { emit(.discard(hook)) }
    bootstrapHook = nil
    emit(.close(error))
  }

  /// What led to the peer leads nowhere now, and calls behind an embargo are never delivered.
  private mutating func breakNode(_ id: NodeID, _ error: RPCError) {
    guard let node = nodes[id] else { return }
    switch node.state {
    case .alias, .local, .broken: return
    case .embargoed(let hook): emit(.discard(hook))
    case .imported, .pipelined, .awaiting: break
    }
    nodes[id]?.state = .broken(error)
    nodes[id]?.queue = []
    nodes[id]?.watchers = []
    notifyObservers(of: id)
    failQueue(node.queue, error)
    if !node.queue.isEmpty { releaseNode(id) }
  }
}
