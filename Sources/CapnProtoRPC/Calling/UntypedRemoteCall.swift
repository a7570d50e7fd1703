import CapTP
public import CapnProto

/// A call of a method that is known only at run time: its results are on their way.
///
/// Otherwise as ``RemoteCall``: it was sent when this was made, and dropping it takes it back.
public struct UntypedRemoteCall: Sendable {
  @usableFromInline let token: CallToken

  /// This call, which is given so long from now on: as ``RemoteCall/within(_:)``.
  public func within(_ timeout: Duration) -> Self {
    token.call.setTimeout(timeout)
    return self
  }

  /// What the body makes of the results, a struct, once they are there.
  ///
  /// - Throws: `RPCError` if the call failed; `CancellationError` if the awaiting task is cancelled,
  ///   which takes the call back; and what the body throws.
  nonisolated(nonsending) public func results<Value>(
    _ body: (AnyPointerReader) throws -> Value
  ) async throws -> Value {
    let message = try await token.outcome()
    return try body(message.results)
  }

  /// Capabilities in the results, to be called before the results are there.
  public var pipeline: PipelineReference {
    PipelineReference(token: token, path: PipelinePath())
  }
}

extension Capability {
  /// Calls a method that is known only at run time: the call is sent before this returns.
  ///
  /// - Parameters:
  ///   - interfaceID: the id of the interface that declares the method.
  ///   - methodID: the method's ordinal.
  ///   - build: builds the params, a struct. Null is a struct of defaults.
  /// - Returns: the call, whose results are on their way.
  public func call(
    interfaceID: UInt64, methodID: UInt16, _ build: (AnyPointerBuilder) throws -> Void
  ) rethrows -> UntypedRemoteCall {
    let call = try outgoingCall(interfaceID: interfaceID, methodID: methodID, build)
    let pending = PendingCall()
    pending.sent(target.send(call, caller: pending))
    if let timeout = callTimeout ?? target.callTimeout { pending.setTimeout(timeout) }
    return UntypedRemoteCall(token: CallToken(pending))
  }

  /// A call of the method, to be sent.
  func outgoingCall(
    interfaceID: UInt64, methodID: UInt16, _ build: (AnyPointerBuilder) throws -> Void
  ) rethrows -> OutgoingCall {
    let message = OutgoingCall.emptyMessage()
    try message.build(Message.Builder.self) {
      let call = $0.initCall()
      call.interfaceId = interfaceID
      call.methodId = methodID
      try build(call.initParams().content)
    }
    return OutgoingCall(message)
  }
}
