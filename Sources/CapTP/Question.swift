import CapnProto

/// A call to the peer that is not finished.
struct Question: Sendable {
  /// When it was asked.
  let since: Duration
  /// What is called; nil for a bootstrap.
  var method: CalledMethod?
  /// Told the outcome; nil once it has dropped the call, and for a bootstrap.
  var asker: Asker?
  /// The caller and the nodes of pipelined capabilities: what still wants the results.
  var holders = 0
  /// The node that was called, which stays until the call has returned.
  var target: NodeID?
  /// The tail call that the outcome comes from, once the peer has said so: it is the `Return`.
  var takesFrom: AnswerID?
  /// Whether `Finish` went out before the `Return` came.
  var isFinished = false
  /// Whether the `Return` came, and `Finish` waits until no call can be made on the results.
  var isReturned = false

  /// Pipelined capabilities, one node for each path, so that calls on one keep their order.
  var nodes = PathMap<NodeID>()

  var seldom = Seldom<Capabilities>()

  /// Capabilities that the call is about.
  struct Capabilities: InitiallyEmpty, Sendable {
    var pins = PathMap<NodeID>()
    var paramExports: [ExportID] = []
  }
}

extension Question {
  /// Nodes of pipelined capabilities that stay what they are, whatever the results turn out to be.
  var pins: PathMap<NodeID> {
    get { seldom.value.pins }
    _modify { yield &seldom.value.pins }
  }

  /// Capabilities in the params that the peer now holds.
  var paramExports: [ExportID] {
    get { seldom.value.paramExports }
    _modify { yield &seldom.value.paramExports }
  }

  /// The node does not stand any more for what is at the path.
  mutating func forget(_ node: NodeID, at path: PipelinePath) {
    if nodes[path] == node { nodes[path] = nil }
    if !seldom.isEmpty, pins[path] == node { pins[path] = nil }
  }

  /// Whether no capabilities are kept for it.
  var hasNoCapabilities: Bool { nodes.isEmpty && seldom.isEmpty }

  /// One holder less.
  ///
  /// - Returns: whether it was the last, and the question is to be finished.
  mutating func letGo() -> Bool {
    holders -= 1
    return isUnheld
  }

  /// Whether nothing wants the results, and the peer has not been told so.
  var isUnheld: Bool { holders <= 0 && !isFinished }

  /// The call has returned, and only what was pinned needs the answer.
  mutating func returned() {
    asker = nil
    target = nil
    nodes = PathMap()
    holders = pins.count
    isReturned = true
  }

  /// Whether a `Return` may come.
  var isOpen: Bool { takesFrom == nil && !isReturned }
}

/// Who asked a question.
enum Asker: Sendable {
  case caller(any Caller)
  /// The peer, whose call leads back to it.
  case answer(AnswerToken)

  func isCaller(_ other: any Caller) -> Bool {
    if case .caller(let caller) = self { caller === other } else { false }
  }
}

extension Connection {
  /// Asks for the peer's bootstrap capability, on which calls can be made at once.
  public mutating func bootstrap() -> any ReferenceHandle {
    if let failure { return handle(addNode(.broken(failure))) }
    guard questions.count < limits.questions else {
      note(.questions)
      return handle(addNode(.broken(questionLimit)))
    }
    let id = questions.add(Question(since: clock()))
    send { $0.initBootstrap().questionId = id.rawValue }
    return handle(pipelineNode(id, PipelinePath()))
  }

  /// Sends the call to the peer; nil if it could not be sent and the caller is told why.
  mutating func ask(
    _ node: NodeID, _ call: consuming OutgoingCall, _ asker: consuming Asker
  ) -> QuestionID? {
    if let refusal = refusal(of: call) {
      refuse(call, asker, refusal)
      return nil
    }
    guard let target = nodes.update(node, { $0.noteCall() }) else { return nil }
    let id = questions.add(Question(since: clock(), asker: asker, holders: 1, target: node))
    let capabilities = call.message.capabilities
    let (method, exported) = call.message.withRoot {
      (root: Message.Builder) -> (CalledMethod?, [ExportID]) in
      guard let body = try? root.call else { return (nil, []) }
      body.questionId = id.rawValue
      target.write(to: body.initTarget())
      return (
        CalledMethod(interfaceID: body.interfaceId, methodID: body.methodId),
        capabilities.isEmpty ? [] : describe(capabilities, in: body.params)
      )
    }
    questions.update(id) { $0.method = method }
    if !exported.isEmpty { questions[id]?.paramExports = exported }
    callsSent += 1
    send(call.message)
    return id
  }

  /// Returns why the call cannot be sent; nil if it can.
  private mutating func refusal(of call: borrowing OutgoingCall) -> RPCError? {
    if let failure { return failure }
    guard questions.count < limits.questions else {
      note(.questions)
      return questionLimit
    }
    return oversize(call.message, "the call")
  }

  private mutating func refuse(
    _ call: consuming OutgoingCall, _ asker: consuming Asker, _ refusal: RPCError
  ) {
    switch asker {
    case .caller(let caller):
      waiting[ObjectIdentifier(caller)] = nil
      emit(.finish(caller, .failure(refusal)))
    case .answer(let token): end(.answer(token, .failure(refusal)))
    }
    discard(call.message)
  }

  private var questionLimit: RPCError {
    .overloaded("more than \(limits.questions) calls are out on the connection")
  }

  /// The capability at the path in the results of a call that the caller has out; nil if it has
  /// returned, and its results say what the capability is.
  public mutating func pipeline(
    _ id: QuestionID, _ path: PipelinePath, caller: any Caller
  ) -> (any ReferenceHandle)? {
    guard isAsked(id, by: caller) else { return nil }
    return handle(pipelineNode(id, path))
  }

  @inline(__always)
  private func isAsked(_ id: QuestionID, by caller: any Caller) -> Bool {
    questions.look(id) { $0.asker?.isCaller(caller) ?? false } == true
  }

  private mutating func pipelineNode(_ id: QuestionID, _ path: PipelinePath) -> NodeID {
    if let node = questions.look(id, { $0.nodes[path] }) ?? nil { return node }
    let node = addNode(.pipelined(id, path))
    questions.update(id) { question in
      question.nodes[path] = node
      question.holders += 1
    }
    return node
  }

  /// The pipelined capability as it is known to the peer now, for good.
  mutating func pin(_ id: QuestionID, _ path: PipelinePath) -> NodeID {
    if let node = questions[id]?.pins[path] { return node }
    let node = addNode(.pipelined(id, path))
    questions[id]?.pins[path] = node
    questions[id]?.holders += 1
    return node
  }

  /// The caller does not want the outcome any more. Unless pipelined capabilities are in use, the
  /// peer is told, and may cancel the call.
  public mutating func dropQuestion(_ id: QuestionID, caller: any Caller) {
    guard isAsked(id, by: caller) else { return }
    dropQuestion(id)
  }

  /// The caller waits no longer: for it the call has failed, and so has what was pipelined on it,
  /// which does not keep the call.
  public mutating func failQuestion(_ id: QuestionID, _ error: RPCError, caller: any Caller) {
    guard isAsked(id, by: caller) else { return }
    for (path, node) in questions.look(id, { $0.nodes }) ?? PathMap() {
      questions.update(id) { $0.nodes[path] = nil }
      settle(node, .broken(error))
      releaseQuestion(id)
    }
    dropQuestion(id)
  }

  mutating func dropQuestion(_ id: QuestionID) {
    guard let asker = questions.update(id, { $0.asker.take() }) ?? nil else { return }
    if case .caller(let caller) = asker { forgetPlace(of: caller) }
    releaseQuestion(id)
  }

  /// One holder less; the last one finishes the question.
  mutating func releaseQuestion(_ id: QuestionID) {
    if questions.update(id, { $0.letGo() }) == true { release(.question(id)) }
  }

  /// Finishes a question that nothing holds.
  mutating func finishUnheld(_ id: QuestionID) {
    guard
      let (isReturned, answer) = questions.look(
        id, { $0.isUnheld ? ($0.isReturned, $0.takesFrom) : nil }) ?? nil
    else { return }
    if isReturned {
      sendFinish(id, releaseResultCaps: false)
      questions.remove(id)
      return
    }
    questions.update(id) { $0.isFinished = true }
    // The peer releases the capabilities of a Return that crosses this message.
    sendFinish(id, releaseResultCaps: true)
    if let answer {
      answers[answer]?.taker = nil
      cancelIfUnwanted(answer)
      forgetQuestion(id)
    } else if let target = questions.update(id, { $0.target.take() }) ?? nil {
      releaseNode(target)
    }
  }

  private mutating func sendFinish(_ id: QuestionID, releaseResultCaps: Bool) {
    send(words: 4) {
      let finish = $0.initFinish()
      finish.questionId = id.rawValue
      finish.releaseResultCaps = releaseResultCaps
      finish.requireEarlyCancellationWorkaround = false
    }
  }

  /// Ends a question with its outcome: pipelined capabilities turn into what they are, the caller
  /// is told, and the peer may forget the answer, unless it says that it has.
  mutating func finishQuestion(
    _ id: QuestionID, _ outcome: consuming Outcome, _ reflected: Reflected, needsFinish: Bool = true
  ) {
    if questions.look(id, { $0.hasNoCapabilities }) == true {
      // Nothing was pipelined on it.
      guard var question = questions.remove(id) else { return }
      if needsFinish { sendFinish(id, releaseResultCaps: false) }
      tell(question.asker.take(), outcome)
      if let target = question.target { releaseNode(target) }
      return
    }
    finish(id, outcome, reflected, needsFinish: needsFinish)
  }

  /// As ``finishQuestion(_:_:_:needsFinish:)``, of a question that may have pipelined capabilities.
  private mutating func finish(
    _ id: QuestionID, _ outcome: Outcome, _ reflected: Reflected, needsFinish: Bool
  ) {
    guard let nodes = questions.look(id, { $0.nodes }) else { return }
    for (path, node) in nodes {
      let found: Result<(any CapabilityHook)?, RPCError>
      switch outcome {
      case .failure(let error): found = .failure(error)
      case .success(let message): found = Self.capability(path, of: message)
      }
      resolve(node, to: found, isReflected: reflected.contains(found)) {
        let answer = $0.initPromisedAnswer()
        answer.questionId = id.rawValue
        path.write(to: answer)
      }
    }
    tell(questions.update(id) { $0.asker.take() } ?? nil, outcome)
    // The results may have been led back to what was pinned.
    let pins = questions.look(id) { $0.seldom.isEmpty ? PathMap() : $0.pins } ?? PathMap()
    if !needsFinish {
      // The peer has forgotten the answer, so nothing leads there any more.
      if !pins.isEmpty { questions[id]?.pins = PathMap() }
      let error = if case .failure(let error) = outcome { error } else { Self.nullCall }
      for (_, pin) in pins { settle(pin, .broken(error)) }
      forgetQuestion(id)
    } else if pins.isEmpty {
      sendFinish(id, releaseResultCaps: false)
      forgetQuestion(id)
    } else {
      let target = questions.look(id) { $0.target } ?? nil
      questions.update(id) { $0.returned() }
      if let target { releaseNode(target) }
    }
  }

  private mutating func tell(_ asker: consuming Asker?, _ outcome: consuming Outcome) {
    switch consume asker {
    case .caller(let caller):
      forgetPlace(of: caller)
      emit(.finish(caller, outcome))
    case .answer(let token): end(.answer(token, outcome))
    case nil: break
    }
  }

  /// Frees the identifier of a question that has returned and is finished.
  mutating func forgetQuestion(_ id: QuestionID) {
    guard let question = questions.remove(id) else { return }
    if let target = question.target { releaseNode(target) }
  }

  /// The capability at the path in a `Return` with results.
  static func capability(
    _ path: PipelinePath, of message: SharedMessage
  ) -> Result<(any CapabilityHook)?, RPCError> {
    do {
      return .success(
        try path.capability(in: message.reader.`return`.results.content))
    } catch {
      return .failure(.failed("the results are invalid: \(error)"))
    }
  }
}
