public import CapnProto

/// An interface by name: the namespace that the generator makes of it.
public protocol InterfaceType: PointerType
where Reader == Client?, ElementReader == Client, ElementBuilder == Client {
  /// Calls objects that implement the interface.
  associatedtype Client: CapabilityClient
}

extension InterfaceType {
  /// Reads the pointer as a client; nil where it is null.
  public static func _read(_ pointer: AnyPointerReader) throws(DecodingError) -> Client? {
    try pointer.client()
  }
  /// Refers to the client's capability; null for nil.
  public static func _set(
    _ pointer: AnyPointerBuilder, _ value: Client?
  ) throws(DecodingError) {
    pointer.setClient(value)
  }
}

extension PointerBuilder where Target: InterfaceType {
  /// The capability that the pointer refers to, or nil where it is null.
  public var client: Target.Client? {
    get { any.client() }
    nonmutating set { any.setClient(newValue) }
  }
}

extension Capability: PointerType, PointerElement, ListElementBuilder {
  /// A pointer.
  public static var _elementSize: ElementSize { .pointer }
  /// Reads an element; the index is checked. Null reads as a capability whose calls fail.
  public static func _element(
    _ list: AnyListReader, _ index: Int
  ) throws(DecodingError) -> Capability {
    try list.pointer(index).capabilityReference() ?? Capability(BrokenCapability.null)
  }
  public typealias ElementReader = Capability
  public typealias ElementBuilder = Capability
  /// Reads the pointer as a capability; nil where it is null.
  public static func _read(_ pointer: AnyPointerReader) throws(DecodingError) -> Capability? {
    try pointer.capabilityReference()
  }
  /// Refers to the capability; null for nil.
  public static func _set(
    _ pointer: AnyPointerBuilder, _ value: Capability?
  ) throws(DecodingError) {
    pointer.setCapabilityReference(value)
  }
}

extension ListBuilder where Element == Capability {
  /// The capability at the index, which must be one of `indices`.
  public subscript(index: Int) -> Capability? {
    get { _list.pointer(index).capabilityReference }
    nonmutating set { _list.pointer(index).setCapabilityReference(newValue) }
  }
}

/// A struct type by name whose capabilities can be called before they are there.
public protocol PipelinedStructType: StructType {
  /// The view of a struct of the type that may not have arrived yet.
  associatedtype Pipeline: PipelineView
}

/// A place in results that may still be out whose type is a type parameter of the schema.
public struct PipelinePointer<Target: PointerType>: Sendable {
  /// The place without its type.
  public let any: PipelineReference

  /// Takes what will arrive at the place for the type.
  public init(_ any: PipelineReference) { self.any = any }
}

extension PipelinePointer where Target: InterfaceType {
  /// The capability at the place.
  public var client: Target.Client { Target.Client(_capability: any.capability) }
}

extension PipelinePointer where Target == Capability {
  /// The capability at the place.
  public var capability: Capability { any.capability }
}

extension PipelinePointer where Target: PipelinedStructType {
  /// The struct at the place.
  public var structure: Target.Pipeline { Target.Pipeline(_pipeline: any) }
}
