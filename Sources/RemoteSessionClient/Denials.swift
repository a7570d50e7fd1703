import CapnProto
public import RemoteSessionSchema

/// The guest said no to a login.
public struct LoginDenied: Error, Hashable, CustomStringConvertible {
  /// Why.
  public var reason: LoginDenial.Reason
  /// Why, in the guest's words.
  public var text: String
  /// The denial in words.
  public var description: String { "the login was denied (\(reason)): \(text.escapedForDisplay)" }

  init(_ denial: LoginDenial.Reader) throws {
    reason = denial.reason
    text = try denial.text.string
  }
}

/// The guest said no to getting a capability.
public struct CapabilityDenied: Error, Hashable, CustomStringConvertible {
  /// Why.
  public var reason: CapDenial.Reason
  /// Why, in the guest's words.
  public var text: String
  /// The denial in words.
  public var description: String {
    "the capability was denied (\(reason)): \(text.escapedForDisplay)"
  }

  init(_ denial: CapDenial.Reader) throws {
    reason = denial.reason
    text = try denial.text.string
  }
}

/// The chat said no.
public struct ChatDenied: Error, Hashable, CustomStringConvertible {
  /// Why.
  public var reason: ChatDenial.Reason
  /// Why, in the guest's words.
  public var text: String
  /// The denial in words.
  public var description: String { "the chat denied it (\(reason)): \(text.escapedForDisplay)" }

  init(_ denial: ChatDenial.Reader) throws {
    reason = denial.reason
    text = try denial.text.string
  }
}
