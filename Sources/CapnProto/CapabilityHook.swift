/// A capability as the encoding sees it: an opaque entry of a message's capability table.
///
/// The encoding carries capabilities and never calls them; the RPC runtime conforms its own class.
public protocol CapabilityHook: AnyObject, Sendable {
  // What the runtime asks for with each call, and would be told by a cast at several times the cost.

  /// Whether it stands for another capability, which may not be known yet.
  var isPromise: Bool { get }
  /// Its number among the references to what is behind the connection; nil if it is none of them.
  func number(behind connection: AnyObject) -> UInt32?
}

extension CapabilityHook {
  /// False.
  public var isPromise: Bool { false }
  /// None.
  public func number(behind connection: AnyObject) -> UInt32? { nil }
}
