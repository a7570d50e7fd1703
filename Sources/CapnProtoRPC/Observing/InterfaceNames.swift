/// What interfaces and their methods are called, by their ids.
public struct InterfaceNames: Sendable {
  private var interfaces: [UInt64: InterfaceDescription] = [:]

  /// The names of the generated clients' interfaces and of what these extend.
  public init(_ clients: any CapabilityClient.Type...) {
    for client in clients { add(client._interface) }
  }

  /// Adds an interface and what it extends.
  public mutating func add(_ interface: InterfaceDescription) {
    // Also the end of interfaces that extend each other.
    guard interfaces.updateValue(interface, forKey: interface.id) == nil else { return }
    for parent in interface.superinterfaces { add(parent) }
  }

  /// What the method is called, as in `chat.capnp:Chat.post`; by number where no name is known.
  public func method(_ method: UInt16, of interface: UInt64) -> String {
    let known = interfaces[interface]
    let name = known?.name ?? hexadecimal(interface)
    guard let methods = known?.methods, method < methods.count else { return "\(name).@\(method)" }
    return "\(name).\(methods[Int(method)])"
  }
}
