import CapTP
public import CapnProto
import Synchronization

/// A call as its object gets it, before its types are known.
public final class ServerCall: Sendable {
  fileprivate let call: DeliveredCall
  /// The interface that declares the method.
  public let interfaceID: UInt64
  /// The method's ordinal.
  public let methodID: UInt16
  private struct Reply: ~Copyable {
    var results: SealedMessage?
    /// The call whose outcome is that of this one.
    var tail: CallToken?
  }
  private let given: Mutex<Reply>

  init(_ call: consuming DeliveredCall, interfaceID: UInt64, methodID: UInt16) {
    self.call = call
    self.interfaceID = interfaceID
    self.methodID = methodID
    given = Mutex(Reply())
  }

  /// Answers the call, now or when another one that it has become has ended.
  ///
  /// - Returns: that one, so long as it has not ended.
  func respond(to responder: any Responder) -> CallRoute? {
    let reply = given.withLock { given in
      var reply = Reply()
      swap(&given, &reply)
      return reply
    }
    if let tail = reply.tail {
      let cancellation = CallCancellation()
      cancellation.start { tail.call.drop() }
      tail.call.whenFinished { outcome in
        ForwardingCaller(responder).finish(outcome)
        cancellation.end()
      }
      return cancellation.hasEnded ? nil : .local(cancellation)
    }
    if let built = (consume reply).results {
      responder.returnResults(built.open())
    } else {
      let empty = MessageBuilder(firstSegmentWords: 16)
      empty.build(Message.Builder.self) { _ = $0.initReturn().initResults() }
      responder.returnResults(empty)
    }
    return nil
  }

  /// Why no method of the interface fits.
  func unimplemented(by interface: InterfaceDescription) -> RPCError {
    .unimplemented(interface.diagnosis(interfaceID: interfaceID, methodID: methodID))
  }

  /// Builds the results' content.
  @usableFromInline
  func reply(_ body: (AnyPointerBuilder) throws -> Void) rethrows {
    let message = OutgoingCall.emptyMessage()
    try message.build(Message.Builder.self) {
      try body($0.initReturn().initResults().content)
    }
    give(Reply(results: SealedMessage(message)))
  }

  fileprivate func tailCall(_ token: CallToken) { give(Reply(tail: token)) }

  /// What was given before is let go of, outside of the lock.
  private func give(_ reply: consuming Reply) {
    var exchanged = reply
    given.withLock { swap(&$0, &exchanged) }
  }
}

/// A call that a server's method handles: what was asked, and the results to give.
public struct CallContext<
  Params: TypedStructReader & ~Escapable, Results: TypedStructBuilder & ~Escapable
>: Sendable {
  @usableFromInline let call: ServerCall
  @usableFromInline let message: SharedMessage

  /// The call, with the types of its method.
  public init(_ call: ServerCall) {
    self.call = call
    message = call.call.message
  }

  /// What the caller sent.
  ///
  /// - Throws: `DecodingError` if the message is invalid.
  @inlinable public var params: Params {
    @_lifetime(borrow self) get throws(DecodingError) { try message.params.structure() }
  }

  /// Builds the results. They are sent when the method returns; without it they are all defaults.
  /// A second reply replaces the first.
  @inlinable
  public func reply(_ body: (Results) throws -> Void) rethrows {
    try call.reply { try body($0.initStructure()) }
  }

  /// Ends the call as the other one ends: with its results or its error. The method returns without
  /// waiting for it. If this call is cancelled, so is the other one.
  ///
  /// - Parameter other: a call that returns the same struct as this method.
  public func tailCall<OtherResults: TypedStructReader & ~Escapable, Pipeline: PipelineView>(
    _ other: RemoteCall<OtherResults, Pipeline>
  ) {
    call.tailCall(other.token)
  }
}

extension SharedMessage {
  /// The content of a `Call`'s params.
  @usableFromInline var params: AnyPointerReader {
    @_lifetime(borrow self) get throws(DecodingError) { try reader.call.params.content }
  }
}

extension RPCError {
  /// What a method that a server does not implement throws.
  public static func unimplemented(
    _ interface: InterfaceDescription, method: UInt16
  ) -> RPCError {
    .unimplemented(interface.diagnosis(interfaceID: interface.id, methodID: method))
  }
}
