public import CapnProto
import DequeModule

extension Connection {
  /// Takes a message of the peer. One that breaks the protocol aborts the connection.
  ///
  /// - Parameters:
  ///   - message: the message.
  ///   - attached: the descriptors that came along with it. Those that belong to no capability of the
  ///     message are let go of.
  public mutating func receive(
    _ message: consuming MessageReader, with attached: [any AttachedDescriptor] = []
  ) {
    guard failure == nil else { return }
    var message = message
    let words = message.limitTraversal(factor: limits.traversalFactor)
    if !attached.isEmpty { descriptors.arriving = attached }
    defer { if !attached.isEmpty { descriptors.arriving = [] } }
    do {
      try dispatch(message, words: words)
    } catch let violation as ProtocolViolation {
      abort(violation.rule)
    } catch {
      abort("a message is invalid: \(error)")
    }
  }

  /// A message whose table of capabilities has been read, if it carries any.
  private enum Intake {
    case call(ImportedTable)
    case results(ImportedTable)
    /// It was read to its end.
    case taken
  }

  private mutating func dispatch(_ message: consuming MessageReader, words: Int) throws {
    var message = message
    switch try takeIn(message.root(as: Message.Reader.self), words: words) {
    case .call(let table):
      if !table.hooks.isEmpty { message.setCapabilities(table.hooks) }
      try receiveCall(
        SharedMessage(message), words: words + table.hooks.count * Self.wordsOfCapability)
    case .results(let table):
      if !table.hooks.isEmpty { message.setCapabilities(table.hooks) }
      try receiveReturn(SharedMessage(message), .some(table.reflected))
    case .taken: break
    }
  }

  /// What an entry of a call's capability table counts among the words in flight: what it takes here.
  private static var wordsOfCapability: Int { 32 }

  private mutating func takeIn(_ message: Message.Reader, words: Int) throws -> Intake {
    switch try message.which {
    case .call(let call):
      // Params that are given back as `unimplemented` must not be taken first.
      switch try call.sendResultsTo.which {
      case .caller, .yourself: return .call(try importTable(call.params, words: words))
      default: try sendUnimplemented(message)
      }
    case .`return`(let body):
      guard case .results(let results) = try body.which else {
        try receiveReturn(body, message)
        break
      }
      // Results that are not wanted any more: the peer releases what is in them.
      let isWanted = questions.look(QuestionID(rawValue: body.answerId)) { $0.isFinished } == false
      return .results(isWanted ? try importTable(results, words: words) : ImportedTable())
    case .resolve(let resolve): try receiveResolve(resolve)
    default: try receiveOther(message)
    }
    return .taken
  }

  private mutating func receiveOther(_ message: Message.Reader) throws {
    switch try message.which {
    case .bootstrap(let bootstrap): try receiveBootstrap(bootstrap)
    case .finish(let finish):
      finishAnswer(
        AnswerID(rawValue: finish.questionId), releaseResultCaps: finish.releaseResultCaps,
        cancelsLate: finish.requireEarlyCancellationWorkaround)
    case .release(let release): try receiveRelease(release)
    case .disembargo(let disembargo): try receiveDisembargo(disembargo, message)
    case .unimplemented(let sent): try receiveUnimplemented(sent)
    case .abort(let exception):
      let error = try RPCError(exception)
      disconnect(
        RPCError(error.kindOfAbort, "the peer aborted the connection: \(error.reason)"))
    default: try sendUnimplemented(message)
    }
  }

  private mutating func openAnswer(
    _ id: AnswerID, _ method: CalledMethod? = nil, isKept: Bool = false
  ) throws(ProtocolViolation) -> AnswerToken {
    guard answers.count < limits.answers || answers[id] != nil else {
      note(.answers)
      throw ProtocolViolation("more than \(limits.answers) calls are open at once")
    }
    let serial = nextSerial()
    let answer = Answer(serial: serial, since: clock(), method: method, isKept: isKept)
    guard answers.insert(answer, at: id) else {
      throw ProtocolViolation("question \(id.rawValue) is in use already")
    }
    return AnswerToken(id: id, serial: serial)
  }

  private mutating func openAnswer(
    _ call: Call.Reader
  ) throws -> (any CapabilityHook, AnswerToken) {
    let hook = try target(call.target)
    let isKept = if case .yourself = try call.sendResultsTo.which { true } else { false }
    let token = try openAnswer(
      AnswerID(rawValue: call.questionId), CalledMethod(call), isKept: isKept)
    return (hook, token)
  }

  private mutating func receiveBootstrap(_ bootstrap: Bootstrap.Reader) throws {
    let token = try openAnswer(AnswerID(rawValue: bootstrap.questionId))
    guard let bootstrapHook else {
      returnError(.failed("this vat offers no bootstrap interface"), for: token)
      return
    }
    let message = MessageBuilder(firstSegmentWords: 32)
    message.build(Message.Builder.self) {
      $0.initReturn().initResults().content.setCapability(bootstrapHook)
    }
    returnResults(message, for: token)
  }

  private mutating func receiveCall(_ message: consuming SharedMessage, words: Int) throws {
    let (hook, token) = try openAnswer(message.reader.call)
    callsReceived += 1
    wordsInSteps += words
    steps.append(.deliver(DeliveredCall(message), to: hook, token, words: words))
  }

  /// The capability that a message is for.
  mutating func target(_ target: MessageTarget.Reader) throws -> any CapabilityHook {
    switch try target.which {
    case .importedCap(let id):
      guard let hook = exports.look(ExportID(rawValue: id), { $0.hook }) else {
        throw ProtocolViolation("a message is for export \(id), which is not open")
      }
      return hook
    case .promisedAnswer(let answer):
      return try capability(
        PipelinePath(answer.transform), ofAnswer: AnswerID(rawValue: answer.questionId))
    case .unknown(let number): throw ProtocolViolation("unknown kind \(number) of a target")
    }
  }

  /// A `Return` with results.
  private mutating func receiveReturn(
    _ message: consuming SharedMessage, _ reflected: Reflected
  ) throws {
    let body = try message.reader.`return`
    let needsFinish = !body.noFinishNeeded
    let id = try returned(body)
    if questions.look(id, { $0.isFinished }) == true {
      forgetQuestion(id)
    } else {
      finishQuestion(id, .success(message), reflected, needsFinish: needsFinish)
    }
  }

  /// A `Return` without results.
  private mutating func receiveReturn(
    _ body: Return.Reader, _ message: Message.Reader
  ) throws {
    let id = try returned(body)
    if questions[id]?.isFinished == true {
      forgetQuestion(id)
      return
    }
    switch try body.which {
    case .results: break
    case .exception(let exception):
      finishQuestion(
        id, .failure(try RPCError(exception)), .all, needsFinish: !body.noFinishNeeded)
    case .canceled:
      finishQuestion(
        id, .failure(.failed("the call was cancelled")), .all, needsFinish: !body.noFinishNeeded)
    case .takeFromOtherQuestion(let other):
      try takeOutcome(of: AnswerID(rawValue: other), for: id)
    case .resultsSentElsewhere:
      throw ProtocolViolation("results were sent elsewhere that were asked for here")
    case .acceptFromThirdParty, .unknown:
      try sendUnimplemented(message)
      finishQuestion(
        id, .failure(.unimplemented("the results come from a third party")), .all)
    }
  }

  private mutating func returned(_ body: Return.Reader) throws -> QuestionID {
    let id = QuestionID(rawValue: body.answerId)
    guard let hasMore = questions.look(id, { $0.isOpen ? !$0.seldom.isEmpty : nil }) ?? nil else {
      throw ProtocolViolation("Return names question \(id.rawValue), which is not open")
    }
    if hasMore, let exports = questions.look(id, { $0.paramExports }), !exports.isEmpty {
      if body.releaseParamCaps { for export in exports { releaseExport(export, count: 1) } }
      questions[id]?.paramExports = []
    }
    return id
  }

  /// The outcome of an answer of this side is that of the question (a tail call).
  private mutating func takeOutcome(of answer: AnswerID, for question: QuestionID) throws {
    guard let entry = answers[answer], entry.isKept, entry.taker == nil else {
      throw ProtocolViolation("takeFromOtherQuestion names no tail call")
    }
    if let outcome = entry.outcome {
      finishQuestion(question, outcome, .all)
    } else {
      answers[answer]?.taker = question
      questions[question]?.takesFrom = answer
    }
  }

  private mutating func receiveResolve(_ resolve: Resolve.Reader) throws {
    let id = ImportID(rawValue: resolve.promiseId)
    switch try resolve.which {
    case .cap(let descriptor):
      let (hook, isReflected) = try importCapability(descriptor)
      resolveImport(id, .success(hook), isReflected: isReflected)
    case .exception(let exception):
      resolveImport(id, .failure(try RPCError(exception)), isReflected: false)
    case .unknown(let number): throw ProtocolViolation("unknown kind \(number) of a Resolve")
    }
  }

  private mutating func receiveRelease(_ release: Release.Reader) throws {
    let id = ExportID(rawValue: release.id)
    guard let export = exports[id], Int(release.referenceCount) <= export.references else {
      throw ProtocolViolation("Release names export \(id.rawValue) more often than it was given")
    }
    if release.referenceCount > 0 { releaseExport(id, count: Int(release.referenceCount)) }
  }

  private mutating func receiveDisembargo(
    _ disembargo: Disembargo.Reader, _ message: Message.Reader
  ) throws {
    switch try disembargo.context.which {
    case .senderLoopback(let id):
      steps.append(.echo(try target(disembargo.target), EmbargoID(rawValue: id)))
    case .receiverLoopback(let id):
      let embargo = EmbargoID(rawValue: id)
      guard embargoes[embargo]?.isReturned == false else {
        throw ProtocolViolation("Disembargo names an embargo that was not placed")
      }
      embargoes[embargo]?.isReturned = true
      steps.append(.lift(embargo))
    default: try sendUnimplemented(message)
    }
  }

  /// Sends a disembargo back to the peer, whose calls on the capability have gone before it.
  mutating func echo(_ hook: any CapabilityHook, _ embargo: EmbargoID) {
    guard failure == nil else { return }
    guard let own = own(hook) else {
      abort("Disembargo is for a capability that does not lead back to its sender")
      return
    }
    switch state(own) {
    case .embargoed, .awaiting, .imported, .pipelined:
      route(.echo(embargo), to: own)
    // What led to the peer may lead elsewhere by now; the calls before have gone their way.
    case let state: sendLoopback(embargo, to: state)
    }
  }

  /// Tells the peer that its calls before the disembargo have been handed on.
  mutating func sendLoopback(_ embargo: EmbargoID, to state: NodeState?) {
    send {
      let disembargo = $0.initDisembargo()
      let target = disembargo.initTarget()
      state?.write(to: target)
      disembargo.context.receiverLoopback = embargo.rawValue
    }
  }

  /// The peer does not understand a message of this side: what the message gave is taken back.
  private mutating func receiveUnimplemented(_ sent: Message.Reader) throws {
    switch try sent.which {
    case .call(let call):
      try failUnimplemented(QuestionID(rawValue: call.questionId))
    case .bootstrap(let bootstrap):
      try failUnimplemented(QuestionID(rawValue: bootstrap.questionId))
    case .resolve(let resolve):
      guard case .cap(let descriptor) = try resolve.which else { return }
      switch try descriptor.which {
      case .senderHosted(let id), .senderPromise(let id):
        releaseExport(ExportID(rawValue: id), count: 1)
      default: break
      }
    default: break
    }
  }

  private mutating func failUnimplemented(_ id: QuestionID) throws(ProtocolViolation) {
    guard let question = questions[id], question.isOpen else {
      throw ProtocolViolation("unimplemented names question \(id.rawValue), which is not open")
    }
    for export in question.paramExports { releaseExport(export, count: 1) }
    questions[id]?.paramExports = []
    if question.isFinished {
      forgetQuestion(id)
    } else {
      finishQuestion(
        id, .failure(.unimplemented("the peer does not understand the call")), .all)
    }
  }
}
