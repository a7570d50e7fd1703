import CapTP

extension Capability {
  /// A capability that is not known yet, and what says later what it is.
  ///
  /// Calls wait in order until then. Sent to a peer, it is a promise there as well (`senderPromise`
  /// in rpc.capnp).
  public static func promise() -> (capability: Capability, resolver: CapabilityResolver) {
    let promise = QueuedCapability()
    return (Capability(promise), CapabilityResolver(promise))
  }
}

/// Says what a promised capability is. Dropped without having said so, it breaks the promise.
public final class CapabilityResolver: Sendable {
  private let promise: QueuedCapability

  init(_ promise: QueuedCapability) { self.promise = promise }

  /// The promise is this capability. Only the first settlement counts.
  public func resolve(_ capability: Capability) { promise.resolve(capability.target) }

  /// The promise is broken: its calls fail with the error. Only the first settlement counts.
  public func reject(_ error: RPCError) { promise.resolve(BrokenCapability(error)) }

  deinit { promise.resolve(BrokenCapability(.failed("the promise was abandoned"))) }
}
