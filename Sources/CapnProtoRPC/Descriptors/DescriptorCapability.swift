import CapTP
import CapnProto

/// A capability with a descriptor: to be called it is the capability that it was made of.
final class DescriptorCapability: CallTarget {
  private let target: any CallTarget
  let descriptor: OpenDescriptor
  let wrapperCount: Int
  var attachedDescriptor: OpenDescriptor? { descriptor }

  private init(_ target: any CallTarget, _ descriptor: OpenDescriptor, wrapperCount: Int) {
    self.target = target
    self.descriptor = descriptor
    self.wrapperCount = wrapperCount
  }

  static func around(_ target: any CallTarget, _ descriptor: OpenDescriptor) -> any CallTarget {
    target.wrapped { DescriptorCapability(target, descriptor, wrapperCount: $0) }
  }

  func next(for purpose: ChainPurpose) -> (any CallTarget)? { target }

  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    passSend(call, caller: caller)
  }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    pass(call, responder: responder)
  }

  func ownStatus(notifying watcher: CapabilityWatcher?) -> OwnStatus { .that(target) }

  var callTimeout: Duration? { limitsTarget?.callTimeout }
  var streamLimits: StreamLimits { limitsTarget?.streamLimits ?? StreamLimits() }
  var streamWriter: StreamWriter { target.streamWriter }
}

extension Capability {
  /// The same capability, with a descriptor for whoever gets it: a file, say, that its holder may read
  /// without a call for each part (rpc.capnp, `CapDescriptor.attachedFd`).
  ///
  /// The descriptor goes along over transports that carry some (``MessageTransport/descriptorLimit``),
  /// to peers that take it, and else it does not. A membrane lets none pass.
  public init(_ capability: Capability, attaching descriptor: OpenDescriptor) {
    self.init(
      Capability(DescriptorCapability.around(capability.target, descriptor)),
      callTimeout: capability.callTimeout)
  }

  /// The descriptor that the capability came with, once it is known which object it is.
  ///
  /// - Returns: the descriptor, which is open as long as somebody holds it; nil if there is none: the
  ///   peer has sent none, or it did not get through.
  /// - Throws: `RPCError` if the capability is a promise that is broken; `CancellationError` if the task
  ///   is cancelled.
  public func attachedDescriptor() async throws -> OpenDescriptor? {
    try await whenResolved()
    var found: OpenDescriptor?
    _ = CapabilityChain.end(of: target) { target in
      found = (target as? RemoteCapability)?.currentDescriptor ?? target.attachedDescriptor
      return found == nil ? target.next(for: .identity) : nil
    }
    return found
  }
}

extension CapabilityClient {
  /// The same client, with a descriptor: as ``Capability/init(_:attaching:)``.
  public init(_ client: Self, attaching descriptor: OpenDescriptor) {
    self.init(_capability: Capability(client._capability, attaching: descriptor))
  }
}
