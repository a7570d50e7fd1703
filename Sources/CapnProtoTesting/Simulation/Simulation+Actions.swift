import CapTP
import CapnProto
import CapnProtoRPC
import Synchronization

extension Simulation {
  /// An application does one thing.
  mutating func takeAction() {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<45: makeCall()
    case 45..<57: pipelineOnCall()
    case 57..<62: dropCall()
    case 62..<70: dropReference()
    case 70..<74: makeObject()
    case 74..<79: makePromise()
    case 79..<84: _ = settleAny()
    case 84..<99: _ = answerAny()
    default: if mayCut { cutLink() }
    }
  }

  private mutating func anyReference(in vat: Int? = nil) -> HeldReference? {
    let held = world.state.withLock { state in
      state.held.filter { vat == nil || $0.vat == vat }
    }
    return held.randomElement(using: &random)
  }

  private mutating func makeCall() {
    guard let reference = anyReference() else { return }
    let parameter = random.once(in: 2) ? anyReference(in: reference.vat) : nil
    let id = world.state.withLock { state in
      let id = state.model.made(reference.id, reference.shadow)
      state.parameters[id] = parameter?.shadow
      return id
    }
    world.note(
      "vat \(reference.vat): call \(id) on reference \(reference.id)"
        + (parameter.map { " with reference \($0.id)" } ?? ""))
    let message = MessageBuilder()
    message.build(Message.Builder.self) {
      let call = $0.initCall()
      call.interfaceId = UInt64(id)
      call.initParams().content.setCapability(parameter?.target)
    }
    let pending = PendingCall()
    let token = CallToken(pending)
    world.state.withLock {
      $0.calls.append(OpenCall(id: id, vat: reference.vat, token: token))
    }
    pending.sent(reference.target.send(OutgoingCall(message), caller: pending))
  }

  private mutating func anyCall() -> OpenCall? {
    world.state.withLock { $0.calls }.randomElement(using: &random)
  }

  private mutating func pipelineOnCall() {
    guard let call = anyCall() else { return }
    let target = call.token.call.pipelined(PipelinePath(), keeping: call.token)
    let result = world.state.withLock { $0.model.calls[call.id].result }
    let reference = world.hold(target, as: .variable(result), in: call.vat)
    world.note("vat \(call.vat): reference \(reference) is the result of call \(call.id)")
  }

  private mutating func dropCall() {
    guard let call = anyCall() else { return }
    world.note("vat \(call.vat): drops call \(call.id)")
    // The token, let go of here, takes the call back.
    world.state.withLock { state in
      if !call.hasEnded { state.model.dropped(call.id) }
      state.calls.removeAll { $0.id == call.id }
    }
  }

  private mutating func dropReference() {
    guard let reference = anyReference() else { return }
    world.note("vat \(reference.vat): drops reference \(reference.id)")
    world.state.withLock { state in state.held.removeAll { $0.id == reference.id } }
  }

  private mutating func makeObject() {
    let vat = Int.random(in: 0..<setting.vats, using: &random)
    let object = world.makeObject(in: vat)
    world.note("vat \(vat): makes object \(object.id)")
    world.hold(object, as: .object(object.id), in: vat)
  }

  private mutating func makePromise() {
    let vat = Int.random(in: 0..<setting.vats, using: &random)
    let promise = QueuedCapability()
    let variable = world.state.withLock { state in
      let variable = state.model.addVariable()
      state.promises.append(OpenPromise(vat: vat, promise: promise, variable: variable))
      return variable
    }
    let reference = world.hold(promise, as: .variable(variable), in: vat)
    world.note("vat \(vat): reference \(reference) is a promise")
  }

  /// Settles one promise with a reference that does not wait for it; false if there is none.
  mutating func settleAny() -> Bool {
    let open = world.state.withLock { $0.promises }
    guard let index = open.indices.randomElement(using: &random) else { return false }
    let promise = open[index]
    let candidates = world.state.withLock { state in
      state.promises.remove(at: index)
      return state.held.filter {
        $0.vat == promise.vat && !state.model.waits($0.shadow, for: promise.variable)
      }
    }
    if let reference = candidates.randomElement(using: &random), !random.once(in: 10) {
      world.note("vat \(promise.vat): a promise is reference \(reference.id)")
      world.state.withLock { $0.model.settle(promise.variable, reference.shadow) }
      promise.promise.resolve(reference.target)
    } else {
      world.note("vat \(promise.vat): a promise is broken")
      world.state.withLock { $0.model.settle(promise.variable, .broken) }
      promise.promise.resolve(Capability(broken: .failed("broken")).target)
    }
    return true
  }

  /// Answers one call; false if there is none.
  mutating func answerAny() -> Bool {
    let open = world.state.withLock { $0.answers }
    guard let index = open.indices.randomElement(using: &random) else { return false }
    let answer = open[index]
    let candidates = world.state.withLock { state in
      state.answers.remove(at: index)
      let result = state.model.result(of: answer.call)
      return state.held.filter { reference in
        guard reference.vat == answer.vat else { return false }
        return result.map { !state.model.waits(reference.shadow, for: $0) } ?? true
      }
    }
    let kind = Int.random(in: 0..<10, using: &random)
    answer.cancellation.end()
    if kind == 0 {
      world.note("vat \(answer.vat): answers call \(answer.call) with an error")
      world.state.withLock { $0.model.answered(answer.call, nil) }
      answer.responder.returnError(.failed("refused"))
    } else if kind > 1, let reference = candidates.randomElement(using: &random) {
      world.note(
        "vat \(answer.vat): answers call \(answer.call) with reference \(reference.id)")
      world.state.withLock { $0.model.answered(answer.call, reference.shadow) }
      answer.responder.returnResults(SimulatedWorld.results(reference.target))
    } else {
      world.note("vat \(answer.vat): answers call \(answer.call) with null")
      world.state.withLock { $0.model.answered(answer.call, .null) }
      answer.responder.returnResults(SimulatedWorld.results(nil))
    }
    return true
  }

  private mutating func cutLink() {
    guard let link = links.randomElement(using: &random) else { return }
    world.note("the connection of \(link.vats) is cut")
    world.state.withLock { $0.model.isCut = true }
    link.ends.0.cut()
    link.ends.1.cut()
  }
}
