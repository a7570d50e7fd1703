/// What a reference stands for, as an observer knows it who sees every vat.
enum Shadow: Sendable {
  case object(Int)
  /// What a variable of the model says: a promise, or the result of a call.
  case variable(Int)
  case null
  case broken
}

/// A call as the observer knows it.
struct ShadowCall: Sendable {
  let reference: Int
  /// Counts the calls on the reference: they must arrive in this order.
  let sequence: Int
  let target: Shadow
  /// The variable that says what the call gave.
  let result: Int
  var deliveries = 0
  var isAnswered = false
  var failsByAnswer = false
  var isDropped = false
  var hasEnded = false
}

/// What an observer of every vat knows, and what it finds broken.
struct ShadowModel: Sendable {
  private(set) var variables: [Shadow?] = []
  private(set) var calls: [ShadowCall] = []
  private var lastDelivered: [Int: Int] = [:]
  private var lastMade: [Int: Int] = [:]
  private(set) var violations: [String] = []
  /// After a cut, calls may be lost; then they end all the same, and none comes twice or out of turn.
  var isCut = false

  mutating func report(_ violation: String) { violations.append(violation) }

  mutating func addVariable() -> Int {
    variables.append(nil)
    return variables.count - 1
  }

  /// Only the first time counts.
  mutating func settle(_ variable: Int, _ value: Shadow) {
    if variables[variable] == nil { variables[variable] = value }
  }

  /// Follows the variables as far as they are known; circles are broken.
  func known(_ shadow: Shadow) -> Shadow {
    var shadow = shadow
    for _ in 0...variables.count {
      guard case .variable(let variable) = shadow, let next = variables[variable] else {
        return shadow
      }
      shadow = next
    }
    return .broken
  }

  /// Whether it is known only after the variable is: such a variable would wait for itself.
  func waits(_ shadow: Shadow, for variable: Int) -> Bool {
    var shadow = known(shadow)
    for _ in 0...calls.count {
      guard case .variable(let next) = shadow else { return false }
      if next == variable { return true }
      // A result waits for the capability that is called.
      guard let call = calls.first(where: { $0.result == next && $0.deliveries == 0 }) else {
        return false
      }
      shadow = known(call.target)
    }
    return true
  }

  mutating func made(_ reference: Int, _ target: Shadow) -> Int {
    lastMade[reference, default: 0] += 1
    calls.append(
      ShadowCall(
        reference: reference, sequence: lastMade[reference, default: 0], target: target,
        result: addVariable()))
    return calls.count - 1
  }

  mutating func delivered(_ call: Int, to object: Int) {
    guard calls.indices.contains(call) else {
      report("a call that nobody made arrived at object \(object)")
      return
    }
    calls[call].deliveries += 1
    if calls[call].deliveries > 1 { report("call \(call) arrived twice") }
    let made = calls[call]
    guard case .object(object) = known(made.target) else {
      // A result that a cut took from its caller was pipelined on all the same.
      if isCut, case .broken = known(made.target) { return }
      report("call \(call) arrived at object \(object), and is for \(known(made.target))")
      return
    }
    if made.sequence <= lastDelivered[made.reference, default: 0] {
      report(
        "call \(call), the \(made.sequence). on reference \(made.reference), arrived after the "
          + "\(lastDelivered[made.reference, default: 0]).")
    }
    lastDelivered[made.reference] = made.sequence
  }

  mutating func answered(_ call: Int, _ result: Shadow?) {
    // A peer that breaks the protocol may have made it up.
    guard calls.indices.contains(call) else { return }
    calls[call].isAnswered = true
    calls[call].failsByAnswer = result == nil
    settle(calls[call].result, result ?? .broken)
  }

  /// The variable that says what the call gave; nil for a call that nobody made.
  func result(of call: Int) -> Int? { calls.indices.contains(call) ? calls[call].result : nil }

  mutating func dropped(_ call: Int) { calls[call].isDropped = true }

  mutating func ended(_ call: Int, succeeded: Bool) {
    calls[call].hasEnded = true
    if !succeeded { settle(calls[call].result, .broken) }
    guard !isCut, !calls[call].isDropped else { return }
    switch (calls[call].isAnswered, succeeded) {
    case (true, let succeeded) where succeeded == calls[call].failsByAnswer:
      report("call \(call) ended with \(succeeded ? "results" : "an error") unlike its answer")
    case (false, true): report("call \(call) has results and was not answered")
    default: break
    }
  }

  /// What must hold once every call has been answered and nothing is under way.
  mutating func checkEnds() {
    for (index, call) in calls.enumerated() where !call.isDropped {
      if !call.hasEnded { report("call \(index) did not end") }
      if !isCut, call.deliveries == 0, case .object(let object) = known(call.target) {
        report("call \(index) did not arrive at object \(object)")
      }
    }
  }
}
