/// A capability as the encoding sees it: an opaque entry of a message's capability table.
///
/// The encoding carries capabilities and never calls them; the RPC runtime conforms its own class.
public protocol CapabilityHook: AnyObject, Sendable {
  /// What it is, so that the runtime need not find out by its type.
  var kind: CapabilityKind { get }
}

/// What a capability is to the runtime.
public enum CapabilityKind: Sendable {
  /// Its calls go no further, as far as the runtime is concerned.
  case object
  /// A reference to what is behind a connection.
  case reference
  /// It stands for another capability, which may not be known yet.
  case promise
}

extension CapabilityHook {
  /// An object.
  public var kind: CapabilityKind { .object }
}
