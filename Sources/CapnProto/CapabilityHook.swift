/// A capability as the encoding sees it: an opaque entry of a message's capability table.
///
/// The encoding carries capabilities and never calls them; the RPC runtime conforms its own class.
public protocol CapabilityHook: AnyObject, Sendable {}
