import CapTP
public import CapnProto

/// A reference to an object that can be called, wherever it lives: holding it is the authority.
///
/// Calls on it arrive in the order in which they are made. The last copy to go releases the object.
public struct Capability: Sendable {
  package let target: any CallTarget
  /// How long a call may take that is not given a time of its own.
  private(set) var callTimeout: Duration?

  package init(_ target: any CallTarget) { self.target = target }

  /// The same capability, whose calls may take so long unless they are given a time of their own
  /// (``RemoteCall/within(_:)``). It holds for this reference and its copies; nil leaves the time to
  /// the connection (`ConnectionLimits.callTimeout`). Streaming calls have no limit.
  public init(_ capability: Capability, callTimeout: Duration?) {
    target = capability.target
    self.callTimeout = callTimeout
  }

  /// A capability whose calls all fail with the error.
  public init(broken error: RPCError) { target = BrokenCapability(error) }

  /// The client's capability, without its type.
  public init(_ client: some CapabilityClient) { self = client._capability }

  /// This capability under the interface's typed client. What the object implements is only known
  /// when it is called.
  public func cast<Client: CapabilityClient>(to: Client.Type = Client.self) -> Client {
    Client(_capability: self)
  }

  /// Calls a method: the call is sent before this returns.
  ///
  /// - Parameters:
  ///   - interface: the interface that declares the method.
  ///   - method: the method's ordinal.
  ///   - build: builds the params.
  /// - Returns: the call, whose results are on their way.
  @inlinable
  public func call<
    Params: TypedStructBuilder & ~Escapable, Results: TypedStructReader & ~Escapable,
    Pipeline: PipelineView
  >(
    _ interface: InterfaceDescription, method: UInt16,
    _ build: (Params) throws -> Void
  ) rethrows -> RemoteCall<Results, Pipeline> {
    RemoteCall(
      try call(interfaceID: interface.id, methodID: method) { try build($0.initStructure()) })
  }
}

/// A generated client of an interface.
public protocol CapabilityClient: Sendable, PointerElement, ListElementBuilder {
  /// What the schema says of the interface.
  static var _interface: InterfaceDescription { get }
  /// Calls the capability through this interface.
  init(_capability: Capability)
  /// The capability without a type.
  var _capability: Capability { get }
}

extension CapabilityClient {
  /// A pointer.
  public static var _elementSize: ElementSize { .pointer }
  /// Reads an element; the index is checked. Null reads as a capability whose calls fail.
  public static func _element(
    _ list: AnyListReader, _ index: Int
  ) throws(DecodingError) -> Self {
    let capability = try list.pointer(index).capabilityReference()
    return Self(_capability: capability ?? Capability(BrokenCapability.null))
  }

  /// A client whose calls all fail with the error.
  public init(broken error: RPCError) { self.init(_capability: Capability(broken: error)) }

  /// The same client, whose calls may take so long: as ``Capability/init(_:callTimeout:)``.
  public init(_ client: Self, callTimeout: Duration?) {
    self.init(_capability: Capability(client._capability, callTimeout: callTimeout))
  }
}

extension AnyPointerReader {
  /// The capability that the pointer stands for, or nil where it is null.
  public func capabilityReference() throws(DecodingError) -> Capability? {
    guard let hook = try capability() else { return nil }
    guard let target = hook as? any CallTarget else { return nil }
    return Capability(target)
  }

  /// The capability that the pointer stands for as a typed client, or nil where it is null.
  public func client<Client: CapabilityClient>(
    as: Client.Type = Client.self
  ) throws(DecodingError) -> Client? {
    try capabilityReference()?.cast()
  }
}

extension AnyPointerBuilder {
  /// The capability that the pointer refers to, or nil where it is null.
  public var capabilityReference: Capability? {
    (capability as? any CallTarget).map { Capability($0) }
  }

  /// Refers to the capability; null for nil.
  public func setCapabilityReference(_ capability: Capability?) {
    setCapability(capability?.target)
  }

  /// The capability that the pointer refers to as a typed client, or nil where it is null.
  public func client<Client: CapabilityClient>(as: Client.Type = Client.self) -> Client? {
    capabilityReference?.cast()
  }

  /// Refers to the client's capability; null for nil.
  public func setClient<Client: CapabilityClient>(_ client: Client?) {
    setCapabilityReference(client?._capability)
  }
}

extension ListBuilder where Element: CapabilityClient {
  /// The capability at the index, which must be one of `indices`.
  public subscript(index: Int) -> Element? {
    get { _list.pointer(index).client() }
    nonmutating set { _list.pointer(index).setClient(newValue) }
  }
}
