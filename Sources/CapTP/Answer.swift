public import CapnProto

/// A call of the peer that is not finished.
struct Answer: Sendable {
  let serial: UInt64
  /// When the peer asked.
  let since: Duration
  /// What is called; nil for a bootstrap.
  var method: CalledMethod?
  /// Whether the peer wants the results kept for a question of this side (a tail call).
  var isKept = false
  /// The question of this side that takes its outcome from this answer.
  var taker: QuestionID?
  /// Words of the call, from when it is handed on until it has an outcome.
  var words = 0
  /// Where the call is, if it was not handed to a capability of this side.
  var place: CallPlace?
  /// Whether `Finish` came before the outcome.
  var isFinished = false
  /// Whether `Finish` asked that the call is handed on before it is cancelled.
  var cancelsLate = false

  var ended: Ended?
  /// Capabilities that are pipelined on the answer while it has no outcome.
  var nodes = PathMap<NodeID>()
  /// Capabilities in the results that the peer now holds.
  var resultExports: [ExportID]?

  /// An outcome, apart, so that the answer stays small.
  indirect enum Ended: Sendable {
    case with(Outcome)
  }
}

extension Answer {
  /// The results or the error, once there is one. Capabilities in it are in its message's table.
  var outcome: Outcome? {
    if case .with(let outcome) = ended { outcome } else { nil }
  }

  var hasOutcome: Bool { ended != nil }

  func isRunning(as serial: UInt64) -> Bool { self.serial == serial && ended == nil }

  /// The call is handed on.
  ///
  /// - Returns: whether it may have to be cancelled then; nil if the token's call is not running.
  mutating func begin(_ token: AnswerToken, words: Int) -> Bool? {
    guard isRunning(as: token.serial) else { return nil }
    self.words = words
    place = nil
    return isFinished && cancelsLate
  }

  /// Whether calls of the peer, or a question of this side, wait for the outcome.
  var isWantedElsewhere: Bool { taker != nil || !nodes.isEmpty }

  /// Whether the call is to be cancelled: it is finished, has no outcome, and nothing needs one.
  var isUnwanted: Bool { isFinished && !hasOutcome && !isWantedElsewhere }

  /// Notes the outcome.
  ///
  /// - Returns: the capabilities that were pipelined on it, and the words that it no longer needs.
  mutating func end(_ outcome: Outcome) -> (nodes: PathMap<NodeID>, words: Int) {
    ended = .with(outcome)
    place = nil
    defer {
      words = 0
      if !nodes.isEmpty { nodes = PathMap() }
    }
    return (nodes, words)
  }
}

extension PeerTable<AnswerID, Answer> {
  /// The token of a running answer is good until it is answered.
  func isRunning(_ token: AnswerToken) -> Bool {
    look(token.id) { $0.isRunning(as: token.serial) } == true
  }
}

extension Connection {
  /// Whether the call of the token is not answered.
  package func isRunning(_ token: AnswerToken) -> Bool { answers.isRunning(token) }

  /// Counts words of a copy of the call among the words in flight, until the call is answered.
  package mutating func noteCopy(words: Int, for token: AnswerToken) {
    let isRunning = answers.update(token.id) { answer in
      guard answer.isRunning(as: token.serial) else { return false }
      answer.words += words
      return true
    }
    if isRunning == true { wordsInFlight += words }
  }

  /// Answers a call with results: a message whose root is a `Return` with results in it.
  ///
  /// Nothing happens if the call is not wanted any more.
  public mutating func returnResults(
    _ message: consuming MessageBuilder, for token: AnswerToken
  ) {
    guard
      let (isFinished, isKept) = answers.look(
        token.id, { $0.isRunning(as: token.serial) ? ($0.isFinished, $0.isKept) : nil }) ?? nil
    else {
      discard(message)
      return
    }
    let hasCapabilities = !message.capabilities.isEmpty
    message.withRoot(Message.Builder.self) {
      guard let body = try? $0.`return` else { return }
      body.answerId = token.id.rawValue
      // Capabilities of the params are released one by one, as they are dropped.
      body.releaseParamCaps = false
      body.noFinishNeeded = !hasCapabilities
    }
    if isFinished || isKept {
      guard let kept = try? SharedMessage(message.freeze()) else { return }
      if isFinished { sendReturn(token.id) { $0.setCanceled() } }
      if !isFinished { sendReturn(token.id) { $0.setResultsSentElsewhere() } }
      endAnswer(token.id, .success(kept))
      return
    }
    if let error = oversize(message, "the results") {
      discard(message)
      returnError(error, for: token)
      return
    }
    if hasCapabilities {
      message.mapCapabilities { pinned($0) }
      let capabilities = message.capabilities
      let exported = message.withRoot { (root: Message.Builder) -> [ExportID] in
        guard let results = try? root.`return`.results else { return [] }
        return describe(capabilities, in: results)
      }
      answers.update(token.id) { $0.resultExports = exported }
    }
    guard let message = shared(message) else { return }
    send(message)
    endAnswer(token.id, .success(message), needsFinish: hasCapabilities)
  }

  /// Answers a call with an error. Nothing happens if the call is not wanted any more.
  public mutating func returnError(_ error: RPCError, for token: AnswerToken) {
    guard answers.isRunning(token) else { return }
    if answers[token.id]?.isFinished == true {
      sendReturn(token.id) { $0.setCanceled() }
    } else if answers[token.id]?.isKept == true {
      sendReturn(token.id) { $0.setResultsSentElsewhere() }
    } else {
      // Calls that the peer has pipelined on it fail with the same error until it finishes it.
      let sendable = sendable(error)
      sendReturn(token.id) { sendable.write(to: $0.exceptionField) }
    }
    endAnswer(token.id, .failure(error))
  }

  mutating func sendReturn(_ id: AnswerID, _ body: (Return.Builder) -> Void) {
    send {
      let message = $0.initReturn()
      message.answerId = id.rawValue
      message.releaseParamCaps = false
      body(message)
    }
  }

  /// Notes the outcome and lets the calls that were pipelined on it go. The answer is kept if it
  /// needs a `Finish`: the peer may call what is in the results until then.
  private mutating func endAnswer(
    _ id: AnswerID, _ outcome: Outcome, needsFinish: Bool = true
  ) {
    if !needsFinish, answers.look(id, { $0.isWantedElsewhere }) == false {
      wordsInFlight -= answers.removeValue(forKey: id)?.words ?? 0
      return
    }
    guard let (nodes, words) = answers.update(id, { $0.end(outcome) }) else { return }
    wordsInFlight -= words
    for (path, node) in nodes {
      switch outcome {
      case .failure(let error): settle(node, .broken(error))
      case .success(let message):
        switch Self.capability(path, of: message) {
        case .failure(let error): settle(node, .broken(error))
        case .success(nil): settle(node, .broken(.failed("called a null capability")))
        case .success(.some(let hook)): settle(node, to: hook)
        }
      }
    }
    if let taker = answers.look(id, { $0.taker }) ?? nil { end(.question(taker, outcome, .all)) }
    if !needsFinish || answers.look(id, { $0.isFinished }) == true { forgetAnswer(id) }
  }

  /// The capability at the path of an answer: known, or a reference to what will be there.
  mutating func capability(
    _ path: PipelinePath, ofAnswer id: AnswerID
  ) -> any CapabilityHook {
    // The peer may not know yet that the answer is forgotten (`noFinishNeeded` in rpc.capnp), and
    // older ones do not look.
    guard let outcome = answers.look(id, { $0.outcome }) else {
      return handle(
        addNode(.broken(.failed("the call was finished, or its results have no capabilities"))))
    }
    switch outcome {
    case nil:
      if let node = answers.look(id, { $0.nodes[path] }) ?? nil { return handle(node) }
      let node = addNode(.awaiting(id, path))
      answers.update(id) { $0.nodes[path] = node }
      return handle(node)
    case .failure(let error): return handle(addNode(.broken(error)))
    case .success(let message):
      switch Self.capability(path, of: message) {
      case .failure(let error): return handle(addNode(.broken(error)))
      case .success(nil):
        return handle(addNode(.broken(.failed("called a null capability"))))
      case .success(.some(let hook)): return hook
      }
    }
  }

  /// The peer does not want the answer any more.
  ///
  /// - Parameters:
  ///   - id: the answer.
  ///   - releaseResultCaps: whether the peer releases the capabilities in the results as well.
  ///   - cancelsLate: whether a call that could be handed on, but waits for others to end, is handed on
  ///     before it is cancelled. One that waits for a promise is not, as in the C++ implementation: it
  ///     would keep what it is pipelined on from being cancelled.
  mutating func finishAnswer(_ id: AnswerID, releaseResultCaps: Bool, cancelsLate: Bool) {
    // An unknown question is tolerated: C++ finishes some twice.
    guard let hasOutcome = answers.look(id, { $0.isFinished ? nil : $0.hasOutcome }) ?? nil else {
      return
    }
    if hasOutcome {
      if releaseResultCaps, let exports = answers.look(id, { $0.resultExports }) ?? nil {
        for export in exports { releaseExport(export, count: 1) }
      }
      forgetAnswer(id)
      return
    }
    answers.update(id) { answer in
      answer.isFinished = true
      answer.cancelsLate = cancelsLate
    }
    cancelIfUnwanted(id)
  }

  /// Cancels a running call that is finished, unless calls that were pipelined on it need it.
  mutating func cancelIfUnwanted(_ id: AnswerID) {
    if answers.look(id, { $0.isUnwanted }) == true { release(.answer(id)) }
  }

  /// Cancels a running call that nobody wants.
  mutating func cancelUnwanted(_ id: AnswerID) {
    guard let answer = answers[id], answer.isUnwanted else { return }
    let token = AnswerToken(id: id, serial: answer.serial)
    switch answer.place {
    case nil:
      emit(.cancel(token))
      return
    case .held where answer.cancelsLate: return
    case .held: break
    case .asked(let question):
      dropQuestion(question)
      unneeded.append(.cancelled(token))
      return
    case .queued(let node):
      withdraw(from: node) {
        guard case .peers(_, let other) = $0 else { return false }
        return other == token
      }
    }
    end(.answer(token, .failure(Self.cancelled)))
  }

  mutating func forgetAnswer(_ id: AnswerID) {
    guard let answer = answers.removeValue(forKey: id) else { return }
    if case .success(let message) = answer.outcome { emit(.discardMessage(message)) }
  }

  /// Lets go of a message that will not be sent, and of the capabilities in it, outside.
  mutating func discard(_ message: consuming MessageBuilder) {
    if let message = try? SharedMessage(message.freeze()) {
      emit(.discardMessage(message))
    }
  }
}
