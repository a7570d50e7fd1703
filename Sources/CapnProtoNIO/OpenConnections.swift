import CapnProtoRPC
import NIOCore
import Synchronization

/// The connections of a listener, each until its socket is closed: those that are open, and those that
/// are not ready yet.
final class OpenConnections: Sendable {
  private enum Entry {
    /// Its layers are being opened.
    case opening(close: @Sendable () -> Void)
    case open(RPCConnection)
  }
  private struct State {
    var entries: [UInt64: Entry] = [:]
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

  /// Counts a connection in, until it is removed.
  ///
  /// - Parameter close: closes its socket, if it is not wanted any more before it is open.
  /// - Returns: its number; nil if it is one too many.
  /// - Throws: `ChannelError` if none is wanted any more.
  func admit(close: @escaping @Sendable () -> Void) throws -> UInt64? {
    try state.withLock { state -> UInt64? in
      guard !state.isClosed else { throw ChannelError.eof }
      guard state.entries.count < limit else { return nil }
      let id = Self.lastID.add(1, ordering: .relaxed).newValue
      state.entries[id] = .opening(close: close)
      return id
    }
  }

  /// The connection of the number is ready.
  ///
  /// - Returns: whether it is still wanted.
  func open(_ id: UInt64, _ connection: RPCConnection) -> Bool {
    state.withLock { state in
      guard !state.isClosed else { return false }
      state.entries[id] = .open(connection)
      return true
    }
  }

  /// The socket of the connection is closed.
  func remove(_ id: UInt64) {
    // Let go of outside of the lock.
    let entry = state.withLock { $0.entries.removeValue(forKey: id) }
    withExtendedLifetime(entry) {}
  }

  /// Those that are not ready yet are not wanted any more: their sockets are closed.
  func close() {
    let entries = state.withLock { state in
      state.isClosed = true
      return state.entries
    }
    for case .opening(let close) in entries.values { close() }
  }

  /// Whether there is room to say why; if not, the connection is just closed.
  func beginRefusal() -> Bool {
    state.withLock { state in
      guard state.refusals < Self.refusalLimit else { return false }
      state.refusals += 1
      return true
    }
  }

  func endRefusal() { state.withLock { $0.refusals -= 1 } }

  /// Those that are open.
  var all: [RPCConnection] {
    state.withLock { state in
      state.entries.values.compactMap {
        if case .open(let connection) = $0 { connection } else { nil }
      }
    }
  }
}
