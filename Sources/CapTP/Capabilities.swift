public import CapnProto

/// Marks the connection that a reference belongs to.
public final class ConnectionToken: Sendable {
  init() {}
}

/// A reference that the engine made for the runtime: a capability behind a connection.
///
/// The runtime's class conforms, and tells its engine with `dropReference` when it is deinitialised.
public protocol ReferenceHandle: CapabilityHook {
  /// Whether the reference belongs to the connection of the token. A question, and not the token, which
  /// would be counted each time.
  func belongs(to token: AnyObject) -> Bool
  /// The reference in its connection.
  var node: NodeID { get }
}

extension ReferenceHandle {
  /// That of its node.
  public func number(of token: AnyObject) -> ReferenceNumber? {
    belongs(to: token) ? ReferenceNumber(node.rawValue) : nil
  }
}

/// A capability that may stand for another one which is not known yet.
public protocol PromiseHook: CapabilityHook {
  /// What the promise stands for; nil while it is not known.
  var resolution: (any CapabilityHook)? { get }
}

extension PromiseHook {
  /// True.
  public var isPromise: Bool { true }
}

/// The caller's end of a call.
public protocol Caller: AnyObject, Sendable {
  /// Takes the outcome: a `Return` message with results, or why there are none. Called once.
  func finish(_ outcome: consuming Outcome)
}

/// How a call ended: a message whose root is a `Return` with results, or an error.
public typealias Outcome = Result<SharedMessage, RPCError>

/// A call that is made: a message whose root is a `Call` with interface, method and params.
public struct OutgoingCall: ~Copyable {
  /// The message. Its `Call` lacks question, target and capability table.
  public var message: MessageBuilder

  /// A call of the message.
  public init(_ message: consuming MessageBuilder) {
    // Here, and not while the call is sent: that is done under a connection's lock.
    message.releaseErased()
    self.message = message
  }

  /// A message for a call or for its results, which most fit into the first segment of. It is small,
  /// as the message is kept until the call is finished.
  package static func emptyMessage() -> MessageBuilder { MessageBuilder(firstSegmentWords: 64) }
}

/// A call that is handed to a capability of this side: a message whose root is a `Call`, and whose
/// capability table is set.
public struct DeliveredCall: Sendable {
  /// The message.
  public let message: SharedMessage

  /// A call of the message.
  public init(_ message: SharedMessage) { self.message = message }

  /// A call that was made and does not leave this side.
  public init(_ call: consuming OutgoingCall) throws(DecodingError) {
    message = try SharedMessage(call.message.freeze())
  }
}

extension SharedMessage {
  /// The message of rpc.capnp at the root.
  public var reader: Message.Reader {
    @_lifetime(borrow self) get { root() }
  }

  /// Whether the peer that gets the message of rpc.capnp waits for it, or has work with it: not if it only
  /// lets go of something, as `Finish` and `Release` do.
  public var isAwaited: Bool {
    // The union's tag alone is looked at, as that is done for each message that is sent.
    let tag: UInt16 = reader._raw.read(0)
    let (finish, release): (UInt16, UInt16) = (4, 6)
    return tag != finish && tag != release
  }
}
