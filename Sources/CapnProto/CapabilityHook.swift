/// A capability as the encoding sees it: an opaque entry of a message's capability table.
///
/// The encoding carries capabilities and never calls them; the RPC runtime conforms its own class.
public protocol CapabilityHook: AnyObject, Sendable {
  // What the runtime asks for with each call, and would be told by a cast at several times the cost.

  /// Whether it stands for another capability, which may not be known yet.
  var isPromise: Bool { get }
  /// Its number among the references of a connection, which the runtime knows by the token; nil if it
  /// is none of them. Only the runtime's own class can answer anything else.
  func number(of token: AnyObject) -> ReferenceNumber?
}

/// What the runtime knows a reference to a capability behind a connection by.
public struct ReferenceNumber: Sendable {
  package let rawValue: UInt32
  package init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

extension CapabilityHook {
  /// False.
  public var isPromise: Bool { false }
  /// None.
  public func number(of token: AnyObject) -> ReferenceNumber? { nil }
}
