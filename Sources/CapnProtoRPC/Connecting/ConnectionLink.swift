import Synchronization

/// How an engine finds the connection that it lives in, and that is there whenever the engine runs.
///
/// Not weakly: counts of an object that is referred to so cost several times as much for good.
final class ConnectionLink: Sendable {
  private struct Link { unowned var connection: RPCConnection? }
  private let link = Mutex(Link())

  var connection: RPCConnection? {
    get { link.withLock { $0.connection } }
    set { link.withLock { $0.connection = newValue } }
  }
}
