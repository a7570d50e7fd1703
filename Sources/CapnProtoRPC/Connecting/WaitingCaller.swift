import CapTP

/// The caller of a call that does not go to the peer at once: it may wait in the engine, and then
/// go to the peer or to a capability of this process. Wherever it is, it can be cancelled.
final class WaitingCaller: Caller {
  let caller: any Caller
  let cancellation = CallCancellation()

  init(_ caller: any Caller) { self.caller = caller }

  func finish(_ outcome: Outcome) {
    cancellation.end()
    caller.finish(outcome)
  }

  func wasDropped() { caller.wasDropped() }
}
