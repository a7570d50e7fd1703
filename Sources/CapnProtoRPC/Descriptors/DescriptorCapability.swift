import CapTP
import CapnProto

/// A capability with a descriptor: to be called it is the capability that it was made of.
final class DescriptorCapability: CallTarget {
  let target: any CallTarget
  let descriptor: OpenDescriptor
  var attachedDescriptor: OpenDescriptor? { descriptor }

  init(_ target: any CallTarget, _ descriptor: OpenDescriptor) {
    self.target = target
    self.descriptor = descriptor
  }

  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    target.send(call, caller: caller)
  }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    target.deliver(call, responder: responder)
  }

  func status(notifying watcher: CapabilityWatcher?) -> CapabilityStatus {
    target.status(notifying: watcher)
  }

  var callTimeout: Duration? { target.callTimeout }
  var streamLimits: StreamLimits { target.streamLimits }
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
      Capability(DescriptorCapability(capability.target, descriptor)),
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
    var target = target
    // As where promises are followed: a chain of absurd length is cut off.
    for _ in 0..<64 {
      if let found = (target as? RemoteCapability)?.currentDescriptor ?? target.attachedDescriptor {
        return found
      }
      guard let next = target.next else { break }
      target = next
    }
    return nil
  }
}

extension CapabilityClient {
  /// The same client, with a descriptor: as ``Capability/init(_:attaching:)``.
  public init(_ client: Self, attaching descriptor: OpenDescriptor) {
    self.init(_capability: Capability(client._capability, attaching: descriptor))
  }
}
