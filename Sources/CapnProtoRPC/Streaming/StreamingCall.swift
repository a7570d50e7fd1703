import CapTP
public import CapnProto

extension Capability {
  /// Calls a streaming method (`-> stream` in the schema): sends the call, and returns once there is
  /// room for another one.
  ///
  /// The calls on this reference and on its copies are one stream. How much of it may be on its way
  /// adapts to the path (`StreamLimits`). What was sent arrives even if the reference is dropped or
  /// the task is cancelled. A call that fails ends the stream: its error is thrown by the next
  /// streaming call, by ``finishStream()``, and by the object itself to whatever is called after it.
  ///
  /// - Throws: `RPCError` if an earlier call of the stream has failed, or this one has already;
  ///   `CancellationError` if the task is cancelled while it waits; and what the body throws.
  nonisolated(nonsending) public func stream<Params: TypedStructBuilder & ~Escapable>(
    _ interface: InterfaceDescription, method: UInt16, _ build: (Params) throws -> Void
  ) async throws {
    let call = try outgoingCall(interfaceID: interface.id, methodID: method) {
      try build($0.initStructure())
    }
    let writer = target.streamWriter
    let caller = try writer.begin(call.message.words * 8)
    _ = target.send(call, caller: caller)
    try await writer.room()
  }

  /// Waits until the object has taken every streaming call that was made on this reference or a copy
  /// of it.
  ///
  /// - Throws: `RPCError` of the call that ended the stream; `CancellationError` if the task is
  ///   cancelled.
  nonisolated(nonsending) public func finishStream() async throws {
    try await target.streamWriter.finish()
  }
}
