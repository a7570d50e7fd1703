import CapnProto
import DequeModule

/// Where a call went.
public enum CallRoute: Sendable {
  /// To the peer.
  case question(QuestionID)
  /// To a capability of this side, now or later, or it failed: the caller will be told.
  case local
}

extension Connection {
  /// Calls the capability that the reference stands for.
  ///
  /// The caller is told the outcome by an effect, unless it drops the question before.
  public mutating func call(
    _ reference: NodeID, _ call: consuming OutgoingCall, caller: any Caller
  ) -> CallRoute {
    let id = settled(reference)
    switch state(id) {
    case .imported, .pipelined:
      guard let question = ask(id, call, caller) else { return .local }
      return .question(question)
    default:
      if let delivered = try? DeliveredCall(call) { route(.own(delivered, caller), to: id) }
      return .local
    }
  }

  /// Sends a call that waits, or has come here, on to where the node leads.
  mutating func route(_ call: QueuedCall, to node: NodeID) {
    let id = settled(node)
    switch state(id) {
    case .embargoed, .awaiting, .draining:
      guard queuedCalls < limits.queuedCalls else {
        refuse(call, .overloaded("more than \(limits.queuedCalls) calls wait for promises"))
        return
      }
      queuedCalls += 1
      if nodes[id]?.queue.isEmpty == true { nodes[id]?.holders += 1 }
      nodes[id]?.queue.append(call)
    case .broken(let error): refuse(call, error)
    case .local(let hook):
      if case .echo(let embargo) = call {
        // The calls before it have been handed over: what follows them may go on.
        let handle = handle(id)
        emit(.echoDisembargo(handle, embargo))
      } else {
        hand(call, to: hook)
      }
    case .imported, .pipelined, .alias:
      // The runtime copies the call into a message of its own and comes back with `call`.
      let handle = handle(id)
      hand(call, to: handle)
    }
  }

  mutating func hand(_ call: QueuedCall, to hook: any CapabilityHook) {
    switch call {
    case .own(let call, let caller): emit(.forward(call, to: hook, caller: caller))
    case .peers(let call, let answer): emit(.deliver(call, to: hook, answer: answer))
    case .echo(let embargo): emit(.echoDisembargo(hook, embargo))
    }
  }

  mutating func refuse(_ call: QueuedCall, _ error: RPCError) {
    // What the call carries may run code of the application when it goes: not under a lock.
    switch call {
    case .own(let call, let caller):
      emit(.finish(caller, .failure(error)))
      emit(.discardMessage(call.message))
    case .peers(let call, let answer):
      emit(.discardMessage(call.message))
      // An answer that fails refuses the calls that are pipelined on it, and so on: in turn, as a
      // chain may be as long as the peer likes.
      refusals.append((answer, error))
      guard !isRefusing else { return }
      isRefusing = true
      while let (answer, error) = refusals.popFirst() { returnError(error, for: answer) }
      isRefusing = false
    case .echo(let embargo): sendLoopback(embargo, to: nil)
    }
  }
}
