import CapnProto
import DequeModule

/// What is to be done next: by the runtime, or by the engine once the runtime has come so far.
enum Step: Sendable {
  case effect(Effect)
  /// A call of the peer, of so many words, goes to the capability.
  case deliver(DeliveredCall, to: any CapabilityHook, AnswerToken, words: Int)
  /// A disembargo of the peer, which follows its calls on the capability.
  case echo(any CapabilityHook, EmbargoID)
  /// A disembargo that came back, behind the calls that were made before it.
  case lift(EmbargoID)
}

extension Connection {
  /// The next thing that the runtime is to do, oldest first.
  ///
  /// What follows it may depend on what it does: it must be done before this is called again. To
  /// get here the engine may have taken steps of its own, and made messages.
  public mutating func nextEffect() -> Effect? {
    while let step = nextStep() {
      // What a step holds is moved on, not copied, here as in what follows.
      switch consume step {
      case .effect(let effect): return effect
      case .deliver(let call, let hook, let token, let words):
        if let effect = deliver(call, to: hook, token, words) { return effect }
      case .echo(let hook, let embargo):
        echo(hook, embargo)
        // It may have been the last one that held the object, as in what follows.
        emit(.discard(hook))
      case .lift(let embargo): liftEmbargo(embargo)
      }
    }
    return nil
  }

  /// Whether `nextEffect` has anything to do.
  public var hasSteps: Bool {
    // A connection is large, and its bytes are copied for a method that only looks at it.
    mutating get {
      !released.isEmpty || !steps.isEmpty || (held.first.map { mayGo($0) } ?? false)
    }
  }

  /// Whether so much is held back that no more should be read from the peer, whatever it is.
  public var isFull: Bool {
    mutating get {
      wordsHeld + wordsInSteps > limits.wordsInFlight
        || held.count + steps.count > limits.answers + limits.queuedCalls
    }
  }

  private mutating func nextStep() -> Step? {
    if let step = released.popFirst() { return step }
    while true {
      if let step = held.first, mayGo(step) {
        held.removeFirst()
        if held.isEmpty { heldLookedAt = 0 }
        if case .deliver(_, _, _, let words) = step { wordsHeld -= words }
        if case .lift = step { liftsHeld -= 1 }
        return step
      }
      guard let step = steps.popFirst() else { return nil }
      if case .effect = step { return step }
      if case .deliver(_, _, _, let words) = step { wordsInSteps -= words }
      guard !held.isEmpty || !mayGo(step) else { return step }
      // It follows the calls on its capability, and no others: those that are under way may need what
      // waits at the peer for its end.
      if case .echo(let hook, _) = step, mayLookThroughHeld {
        heldLookedAt += held.count
        if !held.contains(where: { $0.isFor(hook, self) }) { return step }
      }
      held.append(step)
      switch step {
      case .deliver(_, _, let token, let words):
        wordsHeld += words
        note(.wordsInFlight)
        if answers.isRunning(token) { answers[token.id]?.place = .held }
        cancelIfUnwanted(token.id)
      case .lift: liftsHeld += 1
      case .echo, .effect: break
      }
    }
  }

  /// Whether a disembargo may be compared with all that is held back. A peer that sends more of them
  /// than there can be embargoes for what is held makes them wait in line, and no work.
  private var mayLookThroughHeld: Bool { heldLookedAt < Self.looksPerHeld * held.count }

  private static var looksPerHeld: Int { 64 }

  /// The connection is over: calls that are held back, and those after them, are never handed on.
  mutating func discardHeld() {
    guard !held.isEmpty else { return }
    var late: [Step] = []
    while let step = steps.popFirst() { late.append(step) }
    for step in held + late {
      switch step {
      case .effect: steps.append(step)
      case .deliver(let call, let hook, _, _):
        emit(.discardMessage(call.message))
        emit(.discard(hook))
      case .echo(let hook, _): emit(.discard(hook))
      case .lift: break
      }
    }
    held = []
    heldLookedAt = 0
    wordsInSteps = 0
    wordsHeld = 0
    liftsHeld = 0
  }

  /// Whether the step is within the limit of words. A call that is over it alone must go all the
  /// same, when nothing else is under way. So must one before the end of an embargo, for which those
  /// may wait that are under way.
  private func mayGo(_ step: Step) -> Bool {
    guard case .deliver(_, _, let token, let words) = step, answers.isRunning(token) else {
      return true
    }
    return liftsHeld > 0 || wordsInFlight == 0 || wordsInFlight + words <= limits.wordsInFlight
  }

  /// The call has gone back to the peer, and nothing of it is kept here. Nor may it count any more: it
  /// may come back here once again, and would then wait for itself.
  mutating func releaseWords(of id: AnswerID) {
    wordsInFlight -= answers[id]?.words ?? 0
    answers[id]?.words = 0
  }

  private mutating func deliver(
    _ call: consuming DeliveredCall, to hook: consuming any CapabilityHook, _ token: AnswerToken,
    _ words: Int
  ) -> Effect? {
    if let isFinished = answers.update(token.id, { $0.begin(token, words: words) }) ?? nil {
      wordsInFlight += words
      if isFinished { cancelIfUnwanted(token.id) }
    } else if failure == nil {
      emit(.discard(hook))
      return .discardMessage(call.message)
    }
    // What came before the connection's end is handed on, and cancelled by a later step.
    // A reference of this connection that waits, or whose calls go back, is routed here.
    guard let own = own(hook) else { return .deliver(call, to: hook, answer: token) }
    route(.peers(call, token), to: own)
    return nil
  }
}

extension Step {
  /// Whether this is a call, or a disembargo, for the capability.
  fileprivate func isFor(_ hook: any CapabilityHook, _ connection: borrowing Connection) -> Bool {
    switch self {
    case .deliver(_, let other, _, _), .echo(let other, _): connection.isSame(hook, other)
    case .effect, .lift: false
    }
  }
}
