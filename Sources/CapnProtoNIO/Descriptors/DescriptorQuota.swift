import CapnProtoRPC
import Dispatch
import Synchronization

/// Counts the descriptors of a peer that this process holds open.
final class DescriptorQuota: Sendable {
  // To close what a peer has made may take as long as the peer likes, of a socket that lingers, say: not
  // where it is let go of, which may be under the lock of a connection.
  private static let closing = DispatchQueue(
    label: "capnp.rpc.closing", qos: .utility, attributes: .concurrent)
  private let open = Atomic(0)
  private let limit: Int

  init(_ limit: Int) { self.limit = limit }

  /// How many more may come.
  var available: Int { max(0, limit - open.load(ordering: .relaxed)) }

  /// Owns a descriptor that came.
  func own(_ descriptor: CInt) -> OpenDescriptor {
    open.add(1, ordering: .relaxed)
    return OpenDescriptor(owning: descriptor) { descriptor in
      Self.closing.async {
        OpenDescriptor.close(descriptor)
        self.open.subtract(1, ordering: .relaxed)
      }
    }
  }
}
