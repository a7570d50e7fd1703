/// An identifier of one table of a connection. Identifiers of different tables do not mix.
public protocol TableID: Hashable, Sendable {
  /// The number on the wire.
  var rawValue: UInt32 { get }
  /// The identifier with the number.
  init(rawValue: UInt32)
}

/// A call that this side made (`QuestionId` in rpc.capnp).
public struct QuestionID: TableID {
  /// The number on the wire.
  public let rawValue: UInt32
  /// The identifier with the number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A call that the peer made: the peer's question (`AnswerId` in rpc.capnp).
public struct AnswerID: TableID {
  /// The number on the wire.
  public let rawValue: UInt32
  /// The identifier with the number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A capability that this side hosts for the peer (`ExportId` in rpc.capnp).
public struct ExportID: TableID {
  /// The number on the wire.
  public let rawValue: UInt32
  /// The identifier with the number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A capability that the peer hosts: the peer's export (`ImportId` in rpc.capnp).
public struct ImportID: TableID {
  /// The number on the wire.
  public let rawValue: UInt32
  /// The identifier with the number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// An embargo that this side has placed (`EmbargoId` in rpc.capnp).
public struct EmbargoID: TableID {
  /// The number on the wire.
  public let rawValue: UInt32
  /// The identifier with the number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A reference of this side to a capability behind the connection; never on the wire.
public struct NodeID: TableID {
  /// The number of the slot.
  public let rawValue: UInt32
  /// The identifier with the number.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A call that the peer made, told apart from a later one that reuses its identifier.
public struct AnswerToken: Hashable, Sendable {
  let id: AnswerID
  let serial: UInt64

  /// The question of the call, as the peer numbers it.
  public var questionNumber: UInt32 { id.rawValue }
}

/// A promise that was exported, told apart from a later export that reuses its identifier.
public struct ExportToken: Hashable, Sendable {
  let id: ExportID
  let serial: UInt64
}
