package import CapTP

/// What a chain of capabilities is walked for.
package enum ChainPurpose {
  /// To make a call.
  case send
  /// To pass a call on.
  case deliver(DeliveredCall)
  /// To see which object it is.
  case identity
  /// To see what its calls may take, and its streams.
  case limits
  /// To release it.
  case release
}

extension CallTarget {
  /// None.
  package var wrapperCount: Int { 0 }

  /// None.
  package func next(for purpose: ChainPurpose) -> (any CallTarget)? { nil }

  /// The capability at the end of the chain that begins with this one; `nil` if that is more than
  /// ``CapabilityChain/limit`` links away.
  func end(for purpose: ChainPurpose) -> (any CallTarget)? {
    CapabilityChain.end(of: self as any CallTarget) { $0.next(for: purpose) }
  }

  /// The capability whose limits are those of this one; `nil` if that is this one, or not known yet.
  var limitsTarget: (any CallTarget)? {
    guard let end = end(for: .limits), end !== self, !(end is QueuedCapability) else { return nil }
    return end
  }

  /// What the capability is. If that may change, the watcher is notified when it does.
  package func status(notifying watcher: CapabilityWatcher?) -> CapabilityStatus {
    var status = CapabilityStatus.broken(CapabilityChain.error)
    _ = CapabilityChain.end(of: self as any CallTarget) { target -> (any CallTarget)? in
      switch target.ownStatus(notifying: watcher) {
      case .known(let known):
        status = known
        return nil
      case .that(let next): return next
      }
    }
    return status
  }

  /// Passes a call on to the capability at the end of the chain that begins with this one.
  func pass(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    guard let end = end(for: .deliver(call)) else {
      responder.returnError(CapabilityChain.error)
      return nil
    }
    return end.deliver(call, responder: responder)
  }

  /// Makes a call on the capability at the end of the chain that begins with this one.
  func passSend(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    guard let end = end(for: .send) else {
      caller.finish(.failure(CapabilityChain.error))
      return nil
    }
    return end.send(call, caller: caller)
  }

  /// A wrapper of the capability that `wrap` makes; in place of one that would be around more than
  /// ``CapabilityChain/limit`` others, a capability whose calls fail.
  func wrapped(_ wrap: (_ wrapperCount: Int) -> any CallTarget) -> any CallTarget {
    wrapperCount < CapabilityChain.limit
      ? wrap(wrapperCount + 1) : BrokenCapability(CapabilityChain.error)
  }
}

/// Releases a chain of capabilities that nothing else holds, one after the other: each would otherwise
/// release the next one from within its own `deinit`, as deep as the chain is long.
func releaseChain(_ first: consuming (any CallTarget)?) {
  // Most are objects, or references to some.
  guard first?.next(for: .release) != nil else { return }
  var rest: AnyObject? = consume first
  while true {
    let next = (rest as? any CallTarget)?.next(for: .release)
    // Whatever else holds a capability will release the rest of the chain.
    guard next != nil, isKnownUniquelyReferenced(&rest) else { return }
    rest = next
  }
}
