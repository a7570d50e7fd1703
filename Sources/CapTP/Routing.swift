import CapnProto
import DequeModule

/// Where a call went.
public enum CallRoute: Sendable {
  /// To the peer.
  case question(QuestionID)
  /// To a capability of this side, now or later, or it failed: the caller will be told.
  case local
}

/// A call that ends because of another one.
enum Ending: Sendable {
  case answer(AnswerToken, Outcome)
  case question(QuestionID, Outcome, Reflected)
}

/// An entry of a table that nothing needs any more.
enum Unneeded: Sendable {
  /// To be finished.
  case question(QuestionID)
  /// To be cancelled.
  case answer(AnswerID)
  /// To be answered, once what it asked of the peer is finished.
  case cancelled(AnswerToken)
}

extension Connection {
  /// Calls the capability that the reference stands for.
  ///
  /// The caller is told the outcome by an effect, unless it drops the question or the call before.
  ///
  /// - Parameters:
  ///   - reference: what is called.
  ///   - call: the call.
  ///   - caller: who makes it.
  ///   - waiting: makes the caller that stands for it in a call that does not go to the peer now.
  /// - Returns: where the call went.
  public mutating func call(
    _ reference: NodeID, _ call: consuming OutgoingCall, caller: consuming any Caller,
    waiting: () -> any Caller
  ) -> CallRoute {
    let id = shortened(reference)
    if nodes.look(id, { $0.leadsToPeer }) == true {
      guard let question = ask(id, call, .caller(caller)) else { return .local }
      return .question(question)
    }
    if let delivered = try? DeliveredCall(call) {
      route(.own(delivered, waiting()), to: id)
    }
    return .local
  }

  /// The caller does not want the outcome of a call any more that did not go to the peer at once.
  /// Nothing happens if it has been handed to a capability of this side.
  public mutating func dropCall(_ caller: any Caller) {
    switch waiting.removeValue(forKey: ObjectIdentifier(caller)) {
    case .queued(let node):
      withdraw(from: node) {
        guard case .own(_, let other) = $0 else { return false }
        return other === caller
      }
    case .asked(let question): dropQuestion(question, caller: caller)
    case .held, nil: break
    }
  }

  /// The caller's call is not under way any more, or went to the peer at once.
  mutating func forgetPlace(of caller: any Caller) {
    // It mostly did, and then nothing is looked up.
    if !waiting.isEmpty { waiting[ObjectIdentifier(caller)] = nil }
  }

  /// Takes a call that waits out of the node's queue.
  mutating func withdraw(from id: NodeID, where isWanted: (QueuedCall) -> Bool) {
    guard let index = nodes[id]?.queue.firstIndex(where: isWanted),
      let call = nodes[id]?.queue.remove(at: index)
    else { return }
    queuedCalls -= 1
    if let message = call.message { emit(.discardMessage(message)) }
    if nodes[id]?.queue.isEmpty == true { releaseNode(id) }
  }

  /// Sends a call that waits, or has come here, on to where the node leads. To a capability of this side
  /// it goes before all steps that are still to be taken: among them are calls of the peer on promises
  /// of this side, which may turn out to lead to the node, and which calls that waited for them must
  /// not come behind.
  mutating func route(_ call: QueuedCall, to node: NodeID) {
    let id = shortened(node)
    switch state(id) {
    case .embargoed, .awaiting: enqueue(call, id)
    case .broken(let error): refuse(call, error)
    case .local(let hook):
      let step: Step
      switch call {
      case .own(let call, let caller):
        forgetPlace(of: caller)
        step = .effect(.forward(call, to: hook, caller: caller))
      case .peers(let call, let answer):
        answers[answer.id]?.place = nil
        step = .effect(.deliver(call, to: hook, answer: answer))
      case .echo(let embargo): step = .echo(hook, embargo)
      }
      released.append(step)
    case .imported, .pipelined, .alias: forward(call, id)
    }
  }

  private mutating func enqueue(_ call: QueuedCall, _ id: NodeID) {
    guard queuedCalls < limits.queuedCalls else {
      note(.queuedCalls)
      refuse(call, .overloaded("more than \(limits.queuedCalls) calls wait for promises"))
      return
    }
    queuedCalls += 1
    if nodes[id]?.queue.isEmpty == true { nodes[id]?.holders += 1 }
    nodes[id]?.queue.append(call)
    switch call {
    case .own(_, let caller): waiting[ObjectIdentifier(caller)] = .queued(id)
    case .peers(_, let token):
      answers[token.id]?.place = .queued(id)
      cancelIfUnwanted(token.id)
    case .echo: break
    }
  }

  /// Sends the call to the peer, in a message of its own.
  private mutating func forward(_ call: QueuedCall, _ id: NodeID) {
    let asker: Asker
    switch call {
    case .own(_, let caller): asker = .caller(caller)
    case .peers(_, let token): asker = .answer(token)
    case .echo(let embargo):
      sendLoopback(embargo, to: state(id))
      return
    }
    guard let delivered = call.delivered else { return }
    defer { emit(.discardMessage(delivered.message)) }
    do {
      let copy = try delivered.copied()
      guard let question = ask(id, copy, asker) else { return }
      switch asker {
      case .caller(let caller): waiting[ObjectIdentifier(caller)] = .asked(question)
      case .answer(let token):
        answers[token.id]?.place = .asked(question)
        releaseWords(of: token.id)
        cancelIfUnwanted(token.id)
      }
    } catch {
      refuse(call, .failed("the call cannot be passed on: \(error)"))
    }
  }

  mutating func refuse(_ call: QueuedCall, _ error: RPCError) {
    // What the call carries may run code of the application when it goes: not under a lock.
    switch call {
    case .own(let call, let caller):
      forgetPlace(of: caller)
      emit(.finish(caller, .failure(error)))
      emit(.discardMessage(call.message))
    case .peers(let call, let answer):
      emit(.discardMessage(call.message))
      end(.answer(answer, .failure(error)))
    case .echo(let embargo): sendLoopback(embargo, to: nil)
    }
  }

  /// Ends a call because of another one. Calls that wait for its results end in turn, and so on:
  /// one after the other, as a chain may be as long as the peer likes.
  mutating func end(_ ending: Ending) {
    endings.append(ending)
    guard !isEnding else { return }
    isEnding = true
    while let ending = endings.popFirst() {
      switch ending {
      case .answer(let token, .failure(let error)): returnError(error, for: token)
      case .answer(let token, .success(let message)): returnCopy(of: message, for: token)
      case .question(let id, let outcome, let reflected): finishQuestion(id, outcome, reflected)
      }
    }
    isEnding = false
  }

  /// Gives up an entry of a table. It may have been the last that needed another one, of a chain of calls
  /// that were pipelined on one another, or passed on to the peer: one after the other, as for ``end(_:)``.
  mutating func release(_ entry: Unneeded) {
    guard !isReleasing else {
      unneeded.append(entry)
      return
    }
    isReleasing = true
    giveUp(entry)
    while let entry = unneeded.popFirst() { giveUp(entry) }
    isReleasing = false
  }

  static let cancelled = RPCError.failed("the call was cancelled")

  private mutating func giveUp(_ entry: Unneeded) {
    switch entry {
    case .question(let id): finishUnheld(id)
    case .answer(let id): cancelUnwanted(id)
    case .cancelled(let token): end(.answer(token, .failure(Self.cancelled)))
    }
  }

  /// Answers a call of the peer with the results that came for it from the peer.
  private mutating func returnCopy(of message: SharedMessage, for token: AnswerToken) {
    do {
      try returnResults(message.copiedResults(), for: token)
    } catch {
      returnError(.failed("the results cannot be passed on: \(error)"), for: token)
    }
    emit(.discardMessage(message))
  }
}

extension QueuedCall {
  /// The call; nil for a disembargo.
  fileprivate var delivered: DeliveredCall? {
    switch self {
    case .own(let call, _), .peers(let call, _): call
    case .echo: nil
    }
  }

  fileprivate var message: SharedMessage? { delivered?.message }
}
