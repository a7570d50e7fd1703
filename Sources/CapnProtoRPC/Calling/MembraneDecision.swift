public import CapTP

/// A call that is about to cross a membrane.
public struct MembraneCrossing: Sendable {
  /// Which way a call goes.
  public enum Direction: Sendable {
    /// From the outside to an object of the inside.
    case inbound
    /// From the inside to an object of the outside.
    case outbound
  }

  /// Which way the call goes.
  public let direction: Direction
  /// The interface that declares the method.
  public let interfaceID: UInt64
  /// The method's ordinal.
  public let methodID: UInt16
}

/// What a membrane's policy makes of a call.
public enum MembraneDecision: Sendable {
  /// The call goes to the object.
  case pass
  /// The call fails with the error, and the object never hears of it.
  case refuse(RPCError)
  /// The capability is called in place of the object, as one that lives where the object does: what
  /// the params and the results carry crosses the membrane as always. Such calls are in order among
  /// themselves, and not with those that pass.
  case redirect(Capability)
}
