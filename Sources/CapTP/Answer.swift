public import CapnProto

/// A call of the peer that is not finished.
struct Answer: Sendable {
  let serial: UInt64
  /// When the peer asked.
  let since: Duration
  /// What is called; nil for a bootstrap.
  var method: CalledMethod?
  /// The results or the error, once there is one. Capabilities in it are in its message's table.
  var outcome: Outcome?
  /// Capabilities that are pipelined on the answer while it has no outcome.
  var nodes: [PipelinePath: NodeID] = [:]
  /// Capabilities in the results that the peer now holds.
  var resultExports: [ExportID] = []
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
}

extension Connection {
  /// The token of a running answer is good until it is answered.
  func running(_ token: AnswerToken) -> Answer? {
    guard let answer = answers[token.id], answer.serial == token.serial, answer.outcome == nil
    else { return nil }
    return answer
  }

  /// Answers a call with results: a message whose root is a `Return` with results in it.
  ///
  /// Nothing happens if the call is not wanted any more.
  public mutating func returnResults(
    _ message: consuming MessageBuilder, for token: AnswerToken
  ) {
    guard let answer = running(token) else {
      discard(message)
      return
    }
    message.withRoot(Message.Builder.self) {
      let body = $0.`return`
      body.answerId = token.id.rawValue
      // Capabilities of the params are released one by one, as they are dropped.
      body.releaseParamCaps = false
    }
    if answer.isFinished || answer.isKept {
      guard let kept = try? Ref<Message.Reader>(message.freeze()) else { return }
      if answer.isFinished { sendReturn(token.id) { $0.setCanceled() } }
      if !answer.isFinished { sendReturn(token.id) { $0.setResultsSentElsewhere() } }
      endAnswer(token.id, .success(kept))
      return
    }
    message.mapCapabilities { pinned($0) }
    let capabilities = message.capabilities
    let exported = message.withRoot(Message.Builder.self) {
      describe(capabilities, in: $0.`return`.results)
    }
    answers[token.id]?.resultExports = exported
    guard let sent = send(message) else { return }
    endAnswer(token.id, .success(sent))
  }

  /// Answers a call with an error. Nothing happens if the call is not wanted any more.
  public mutating func returnError(_ error: RPCError, for token: AnswerToken) {
    guard let answer = running(token) else { return }
    if answer.isFinished {
      sendReturn(token.id) { $0.setCanceled() }
    } else if answer.isKept {
      sendReturn(token.id) { $0.setResultsSentElsewhere() }
    } else {
      sendReturn(token.id) { error.write(to: $0.exceptionField) }
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

  /// Notes the outcome and lets the calls that were pipelined on it go.
  private mutating func endAnswer(_ id: AnswerID, _ outcome: Outcome) {
    guard let answer = answers[id] else { return }
    answers[id]?.outcome = outcome
    answers[id]?.nodes = [:]
    answers[id]?.place = nil
    answers[id]?.words = 0
    wordsInFlight -= answer.words
    for (path, node) in answer.nodes {
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
    if let taker = answer.taker { end(.question(taker, outcome, .all)) }
    if answer.isFinished { forgetAnswer(id) }
  }

  /// The capability at the path of an answer: known, or a reference to what will be there.
  mutating func capability(
    _ path: PipelinePath, ofAnswer id: AnswerID
  ) throws(ProtocolViolation) -> any CapabilityHook {
    guard let answer = answers[id] else {
      throw ProtocolViolation("a promised answer names question \(id.rawValue), which is not open")
    }
    switch answer.outcome {
    case nil:
      if let node = answer.nodes[path] { return handle(node) }
      let node = addNode(.awaiting(id, path))
      answers[id]?.nodes[path] = node
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
  mutating func finishAnswer(_ id: AnswerID, releaseResultCaps: Bool) {
    // An unknown question is tolerated: C++ finishes some twice.
    guard let answer = answers[id], !answer.isFinished else { return }
    if answer.outcome != nil {
      if releaseResultCaps {
        for export in answer.resultExports { releaseExport(export, count: 1) }
      }
      forgetAnswer(id)
      return
    }
    answers[id]?.isFinished = true
    cancelIfUnwanted(id)
  }

  /// Cancels a running call that is finished, unless calls that were pipelined on it need it.
  mutating func cancelIfUnwanted(_ id: AnswerID) {
    guard let answer = answers[id], answer.isFinished, answer.outcome == nil,
      answer.nodes.isEmpty, answer.taker == nil
    else { return }
    let token = AnswerToken(id: id, serial: answer.serial)
    switch answer.place {
    case nil:
      emit(.cancel(token))
      return
    case .held: break
    case .asked(let question): dropQuestion(question)
    case .queued(let node):
      withdraw(from: node) {
        guard case .peers(_, let other) = $0 else { return false }
        return other == token
      }
    }
    end(.answer(token, .failure(.failed("the call was cancelled"))))
  }

  mutating func forgetAnswer(_ id: AnswerID) {
    guard let answer = answers.removeValue(forKey: id) else { return }
    if case .success(let message) = answer.outcome { emit(.discardMessage(message)) }
  }

  /// Lets go of a message that will not be sent, and of the capabilities in it, outside.
  mutating func discard(_ message: consuming MessageBuilder) {
    if let message = try? Ref<Message.Reader>(message.freeze()) {
      emit(.discardMessage(message))
    }
  }
}
