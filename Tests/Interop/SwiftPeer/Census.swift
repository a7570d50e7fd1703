import CapnProtoRPC
import Synchronization

/// What a process counts for its peers: live objects and cancelled calls.
final class Census: Sendable {
  private let counts = Mutex((live: 0, cancelled: 0))

  var liveObjects: Int { counts.withLock { $0.live } }
  var cancelledCalls: Int { counts.withLock { $0.cancelled } }

  func callCancelled() { counts.withLock { $0.cancelled += 1 } }
  fileprivate func born() { counts.withLock { $0.live += 1 } }
  fileprivate func died() { counts.withLock { $0.live -= 1 } }
}

/// Held by an object that its census counts.
final class Life: Sendable {
  let census: Census

  init(_ census: Census) {
    self.census = census
    census.born()
  }

  deinit { census.died() }
}

extension FailureKind {
  /// The kind of error with the same number; an unknown one is `failed`.
  var errorKind: RPCError.Kind { RPCError.Kind(rawValue: rawValue) ?? .failed }
}
