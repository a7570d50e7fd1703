public import CapnProto

/// What the runtime is to do for the engine, in the order in which the engine says it.
public enum Effect: Sendable {
  /// Call the capability for the peer, and answer with `returnResults` or `returnError`.
  case deliver(DeliveredCall, to: any CapabilityHook, answer: AnswerToken)
  /// Call the capability for a caller of this side.
  case forward(DeliveredCall, to: any CapabilityHook, caller: any Caller)
  /// Tell the caller how its call ended.
  case finish(any Caller, Outcome)
  /// The peer does not want the answer any more: cancel the handler.
  case cancel(AnswerToken)
  /// Tell `resolveExport` once it is known what the promise stands for.
  case watch(any PromiseHook, ExportToken)
  /// Nobody waits any more for what the promise stands for.
  case unwatch(any PromiseHook, ExportToken)
  /// Tell the watcher that a reference has changed.
  case notify(any ReferenceWatcher)
  /// Let go of a capability, outside of the engine.
  case discard(any CapabilityHook)
  /// Let go of a message, outside of the engine.
  case discardMessage(SharedMessage)
  /// Let go of a descriptor, outside of the engine: to close it may take long.
  case discardDescriptor(any AttachedDescriptor)
  /// Close the transport once what was sent is out.
  case close(RPCError)
}
