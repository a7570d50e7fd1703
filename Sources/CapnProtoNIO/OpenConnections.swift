import CapnProtoRPC
import Synchronization

/// The connections of a listener: those that are open, and those that are not ready yet.
final class OpenConnections: Sendable {
  private struct State {
    /// Nil for one that is not ready yet.
    var connections: [UInt64: RPCConnection?] = [:]
    var isClosed = false
    /// Connections that are being told why they are refused; each keeps its socket until it is told.
    var refusals = 0
  }
  /// Of the whole process: the number of a connection means no other one, at any listener.
  private static let lastID = Atomic<UInt64>(0)
  private static let refusalLimit = 32
  private let state = Mutex(State())
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Counts a connection in and numbers it; nil if it is one too many.
  func admit() -> UInt64? {
    state.withLock { state in
      guard state.connections.count < limit else { return nil }
      let id = Self.lastID.add(1, ordering: .relaxed).newValue
      state.connections[id] = .some(nil)
      return id
    }
  }

  /// The connection of the number is ready.
  ///
  /// - Returns: whether it is still wanted.
  func open(_ id: UInt64, _ connection: RPCConnection) -> Bool {
    state.withLock { state in
      guard !state.isClosed else { return false }
      state.connections[id] = connection
      return true
    }
  }

  func remove(_ id: UInt64) {
    // Let go of outside of the lock.
    let connection = state.withLock { $0.connections.removeValue(forKey: id) }
    withExtendedLifetime(connection) {}
  }

  /// Those that are not ready yet are not wanted any more.
  func close() { state.withLock { $0.isClosed = true } }

  /// Whether there is room to say why; if not, the connection is just closed.
  func beginRefusal() -> Bool {
    state.withLock { state in
      guard state.refusals < Self.refusalLimit else { return false }
      state.refusals += 1
      return true
    }
  }

  func endRefusal() { state.withLock { $0.refusals -= 1 } }

  var all: [RPCConnection] { state.withLock { $0.connections.values.compactMap { $0 } } }
}
