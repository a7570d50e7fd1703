import CapTP
import CapnProto

/// A capability behind a connection. The last holder to let go of it releases it there.
final class RemoteCapability: CallTarget, ReferenceHandle {
  /// There while the engine that made the reference runs, and hence as long as this object is.
  private let connection: RPCConnection?
  private let token: ConnectionToken
  let node: NodeID
  /// The descriptor that was known when the reference was made.
  let attachedDescriptor: OpenDescriptor?
  private let stream = StreamPlace()
  var streamWriter: StreamWriter { stream.writer(streamLimits) }
  var streamLimits: StreamLimits { connection?.limits.streams ?? StreamLimits() }

  init(
    _ connection: RPCConnection?, _ token: ConnectionToken, _ node: NodeID,
    _ descriptor: OpenDescriptor?
  ) {
    self.connection = connection
    self.token = token
    self.node = node
    attachedDescriptor = descriptor
  }

  func belongs(to token: AnyObject) -> Bool { self.token === token }

  var callTimeout: Duration? { connection?.limits.callTimeout }

  func next(for purpose: ChainPurpose) -> (any CallTarget)? {
    // Calls go by way of the connection, where earlier ones may still wait.
    guard case .identity = purpose else { return nil }
    return connection?.localCapability(node) as? any CallTarget
  }

  /// The descriptor of what the reference has turned out to be.
  var currentDescriptor: OpenDescriptor? { connection?.descriptor(node) }

  func ownStatus(notifying watcher: CapabilityWatcher?) -> OwnStatus {
    guard let connection else { return .known(.broken(.disconnected("the connection is gone"))) }
    switch connection.status(of: node, notifying: watcher) {
    case .promise: return .known(.promise)
    case .peers: return .known(.settled)
    case .broken(let error): return .known(.broken(error))
    case .local(let hook): return (hook as? any CallTarget).map { .that($0) } ?? .known(.settled)
    }
  }

  /// Whether both stand for one capability of the peer, as far as that is known.
  func isSame(as other: RemoteCapability) -> Bool {
    guard let connection, other.token === token else { return false }
    return connection.isSame(node, other.node)
  }

  deinit { connection?.referenceDropped(node, attachedDescriptor) }

  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    guard let connection else {
      caller.finish(.failure(.disconnected("the connection is gone")))
      return nil
    }
    return connection.call(node, call, caller: caller)
  }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    let caller = ForwardingCaller(responder)
    guard caller.hops <= CapabilityChain.limit else {
      responder.returnError(CapabilityChain.error)
      return nil
    }
    do {
      let copy = try call.copied()
      responder.noteCopy(words: copy.message.words)
      return send(copy, caller: caller)
    } catch {
      responder.returnError(.failed("the call cannot be passed on: \(error)"))
      return nil
    }
  }
}
