import CapnProtoRPC
import Synchronization

/// Counts the descriptors of a peer that this process holds open.
final class DescriptorQuota: Sendable {
  private let open = Atomic(0)
  private let limit: Int

  init(_ limit: Int) { self.limit = limit }

  /// How many more may come.
  var available: Int { max(0, limit - open.load(ordering: .relaxed)) }

  /// Owns a descriptor that came.
  func own(_ descriptor: CInt) -> OpenDescriptor {
    open.add(1, ordering: .relaxed)
    return OpenDescriptor(owning: descriptor) { self.open.subtract(1, ordering: .relaxed) }
  }
}
