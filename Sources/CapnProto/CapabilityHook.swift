/// A capability as the encoding sees it: an opaque entry of a message's capability table.
///
/// The encoding carries capabilities and never calls them; the RPC runtime conforms its own class.
public protocol CapabilityHook: AnyObject, Sendable {
  /// Whether calls on it may go on to another capability, as of a promise or of a reference to a
  /// peer's. False for an object, so that the runtime need not find out what else it is.
  var mayLeadOn: Bool { get }
}

extension CapabilityHook {
  /// It may be: what is certain is said by its type.
  public var mayLeadOn: Bool { true }
}
