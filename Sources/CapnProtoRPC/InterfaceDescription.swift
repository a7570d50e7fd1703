/// What a schema says of an interface: for calls, dispatch and diagnoses in words.
public final class InterfaceDescription: Sendable {
  /// The id of the type in the schema language.
  public let id: UInt64
  /// The name with its file, as in `chat.capnp:Chat`.
  public let name: String
  /// The methods' names, by ordinal.
  public let methods: [String]
  /// The interfaces that this one extends.
  public let superinterfaces: [InterfaceDescription]

  /// The ordinals of the methods that are declared with `-> stream`.
  public let streamingMethods: [UInt16]
  /// Whether the interface or an ancestor has streaming methods.
  let hasStreams: Bool

  /// A description of the schema's interface.
  public init(
    id: UInt64, name: String, methods: [String], streamingMethods: [UInt16] = [],
    superinterfaces: [InterfaceDescription] = []
  ) {
    self.id = id
    self.name = name
    self.methods = methods
    self.superinterfaces = superinterfaces
    self.streamingMethods = streamingMethods
    hasStreams = !streamingMethods.isEmpty || superinterfaces.contains { $0.hasStreams }
  }

  /// Whether the method, of this interface or an ancestor, is a streaming one.
  func streams(_ interfaceID: UInt64, _ methodID: UInt16) -> Bool {
    declaresStream(interfaceID, methodID) == true
  }

  /// Nil if neither this interface nor an ancestor has the id. Nothing is counted, as this is asked with
  /// each call.
  private func declaresStream(_ interfaceID: UInt64, _ methodID: UInt16) -> Bool? {
    if interfaceID == id { return streamingMethods.contains(methodID) }
    for parent in superinterfaces {
      if let found = parent.declaresStream(interfaceID, methodID) { return found }
    }
    return nil
  }

  /// This interface or the one of its ancestors that has the id.
  public func interface(_ id: UInt64) -> InterfaceDescription? {
    if self.id == id { return self }
    for parent in superinterfaces {
      if let found = parent.interface(id) { return found }
    }
    return nil
  }

  /// The name without the file.
  public var shortName: String {
    guard let colon = name.lastIndex(of: ":") else { return name }
    return String(name[name.index(after: colon)...])
  }

  /// The name of the method, or its number where it is not known.
  func methodName(_ interfaceID: UInt64, _ methodID: UInt16) -> String {
    guard let methods = interface(interfaceID)?.methods, methodID < methods.count else {
      return "@\(methodID)"
    }
    return methods[Int(methodID)]
  }

  /// Why a call that was not dispatched cannot be, in words.
  func diagnosis(interfaceID: UInt64, methodID: UInt16) -> String {
    guard let called = interface(interfaceID) else {
      return "the call is for interface \(hexadecimal(interfaceID)), but the object is a "
        + "\(name) (\(hexadecimal(id))), which does not extend it"
    }
    guard methodID < called.methods.count else {
      return "\(called.name) has no method @\(methodID): it ends at "
        + "@\(called.methods.count - 1), so the caller's schema is newer than the object's"
    }
    return "\(called.name).\(called.methods[Int(methodID)]) is not implemented by the object"
  }
}

/// The number as a schema id is written.
func hexadecimal(_ number: UInt64) -> String {
  let digits = String(number, radix: 16)
  return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
}
