// Descriptors of the operating system go along with capabilities where the transport carries them
// (rpc.capnp, `CapDescriptor.attachedFd`). To the engine they are opaque: it knows which message they
// leave with, and which import they came for.

public import CapnProto
import DequeModule

/// A descriptor of the operating system that goes along with a capability. It is closed when the last
/// holder lets go of it.
public protocol AttachedDescriptor: AnyObject, Sendable {}

/// Finds the descriptor that goes along with a capability of this side.
public typealias DescriptorLookup =
  @Sendable (any CapabilityHook) -> (any AttachedDescriptor)?

/// Makes the runtime's reference to a node, and what is known of its descriptor.
public typealias HandleMaker =
  @Sendable (ConnectionToken, NodeID, (any AttachedDescriptor)?) -> any ReferenceHandle

/// The descriptors of a connection whose transport carries some.
struct DescriptorTable: Sendable {
  private struct Parcel: Sendable {
    /// The number of the message, of those that were sent.
    let message: UInt64
    let descriptors: [any AttachedDescriptor]
  }
  /// Those that came along with the message that is being received.
  var arriving: [any AttachedDescriptor] = []
  /// Those of the message that is being built.
  private var attaching: [any AttachedDescriptor] = []
  private var parcels = Deque<Parcel>()
  private var sent: UInt64 = 0
  private var left: UInt64 = 0
  private var imports: [ImportID: any AttachedDescriptor] = [:]

  /// Linux takes no more with one message.
  static var limit: Int { 253 }

  /// Adds a descriptor to the message that is being built.
  ///
  /// - Returns: its `attachedFd`; nil if the message carries too many already.
  mutating func attach(_ descriptor: any AttachedDescriptor) -> UInt8? {
    guard attaching.count < Self.limit else { return nil }
    attaching.append(descriptor)
    return UInt8(attaching.count - 1)
  }

  /// What was added belongs to the message that is now sent, or is not sent after all.
  mutating func messageWasBuilt(isSent: Bool) {
    defer { attaching = [] }
    guard isSent else { return }
    if !attaching.isEmpty { parcels.append(Parcel(message: sent, descriptors: attaching)) }
    sent += 1
  }

  mutating func messageLeft() { left += 1 }

  /// Those that go along with the message that left last.
  mutating func takeParcel() -> [any AttachedDescriptor] {
    guard let parcel = parcels.first, parcel.message + 1 == left else { return [] }
    parcels.removeFirst()
    return parcel.descriptors
  }

  /// An import was given with a descriptor of the message that is being received, if there is one.
  /// The first one stays: it is the import's.
  mutating func note(_ index: UInt8, of id: ImportID) {
    // 0xff means none, however many came.
    guard index < Self.limit, arriving.indices.contains(Int(index)), imports[id] == nil else {
      return
    }
    imports[id] = arriving[Int(index)]
  }

  /// The import is gone.
  ///
  /// - Returns: its descriptor, which is not to be closed here.
  mutating func forget(_ id: ImportID) -> (any AttachedDescriptor)? {
    imports.removeValue(forKey: id)
  }

  /// All that are here, which are not to be closed here.
  var all: [any AttachedDescriptor] {
    arriving + attaching + parcels.flatMap(\.descriptors) + imports.values
  }

  subscript(id: ImportID) -> (any AttachedDescriptor)? { imports[id] }
}

extension Connection {
  /// The descriptors that go along with the message that `nextMessage` returned last.
  public mutating func takeDescriptors() -> [any AttachedDescriptor] { descriptors.takeParcel() }

  /// The descriptor that came along with the capability that the reference stands for now.
  public func descriptor(of reference: NodeID) -> (any AttachedDescriptor)? {
    switch state(reference) {
    case .imported(let id): descriptors[id]
    case .local(let hook), .embargoed(let hook): descriptorOf?(hook)
    case .pipelined, .alias, .awaiting, .broken: nil
    }
  }
}
