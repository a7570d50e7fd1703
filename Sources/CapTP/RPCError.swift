import CapnProto

/// Why a call failed, as it travels between vats (`Exception` in rpc.capnp).
public struct RPCError: Error, Hashable, Sendable {
  /// What the caller may do about it (`Exception.Type` in rpc.capnp).
  public enum Kind: UInt16, Hashable, Sendable, CaseIterable {
    /// The call failed for a reason of its own; a retry would fail as well.
    case failed = 0
    /// The callee lacks a resource for now; a later retry may succeed.
    case overloaded = 1
    /// A connection that the call needed is gone; a new one may work.
    case disconnected = 2
    /// The callee does not have the method.
    case unimplemented = 3
  }

  /// What the caller may do about it.
  public var kind: Kind
  /// The reason in words, for people.
  public var reason: String
  /// Where it arose in the callee, if the callee tells.
  public var trace: String?

  /// An error of the kind.
  public init(_ kind: Kind, _ reason: String, trace: String? = nil) {
    self.kind = kind
    self.reason = reason
    self.trace = trace
  }

  /// A call that failed for a reason of its own.
  public static func failed(_ reason: String) -> RPCError { RPCError(.failed, reason) }
  /// A callee that lacks a resource for now.
  public static func overloaded(_ reason: String) -> RPCError { RPCError(.overloaded, reason) }
  /// A connection that is gone.
  public static func disconnected(_ reason: String) -> RPCError {
    RPCError(.disconnected, reason)
  }
  /// A method that the callee does not have.
  public static func unimplemented(_ reason: String) -> RPCError {
    RPCError(.unimplemented, reason)
  }
}

extension RPCError: CustomStringConvertible {
  /// The error in words.
  public var description: String { "\(kind): \(reason)" }
}

extension RPCError {
  /// The error that a peer sent.
  init(_ exception: Exception.Reader) throws(DecodingError) {
    // An unknown kind is treated as `failed`, as rpc.capnp asks for.
    kind = Kind(rawValue: exception.type.rawValue) ?? .failed
    reason = try exception.reason.string
    let trace = try exception.trace
    self.trace = trace.isEmpty ? nil : trace.string
  }

  func write(to exception: Exception.Builder) {
    exception.type = .init(rawValue: kind.rawValue)
    exception.reason = reason
    if let trace { exception.trace = trace }
  }
}

/// A rule of the protocol that the peer broke: the connection is aborted with it.
struct ProtocolViolation: Error {
  let rule: String
  init(_ rule: String) { self.rule = rule }
}
