public import CapnProtoRPC
public import Logging
public import NIOCore
public import NIOPosix
import Synchronization

/// A connection that a listener has accepted.
public struct IncomingConnection: Sendable {
  /// The peer's address, as the socket tells it; nil for most Unix sockets.
  public let peer: RPCAddress?
  /// Counts the listener's connections, from 1.
  public let id: UInt64
  /// The connection itself. The bootstrap capability may hold it: it is let go of when the
  /// connection ends.
  public let connection: RPCConnection
}

/// Accepts connections and gives each peer a bootstrap capability.
public final class RPCListener: Sendable {
  private let channel: any Channel
  private let connections: OpenConnections
  /// Where it listens, with the real port.
  public let address: RPCAddress

  private init(_ channel: any Channel, _ address: RPCAddress, _ connections: OpenConnections) {
    self.channel = channel
    self.address = address
    self.connections = connections
  }

  /// Listens at the address.
  ///
  /// - Parameters:
  ///   - address: where to listen. A Unix socket's path must not exist yet.
  ///   - limits: what each peer may make this side hold.
  ///   - group: the event loops, of which each connection gets one.
  ///   - logger: gets what goes wrong.
  ///   - whenClosed: is told when a connection is over.
  ///   - bootstrap: makes the capability that a peer gets first; nil if it gets none.
  /// - Returns: the listener, which accepts connections already.
  /// - Throws: `RPCError` that says why it cannot listen.
  public static func listen(
    on address: RPCAddress, limits: ConnectionLimits = ConnectionLimits(),
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "capnp.rpc"),
    whenClosed: @escaping @Sendable (IncomingConnection) -> Void = { _ in },
    bootstrap: @escaping @Sendable (IncomingConnection) -> Capability?
  ) async throws -> RPCListener {
    let connections = OpenConnections()
    let server = ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.backlog, value: 256)
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if case .tcp = address {
            try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
          }
          let connection = RPCConnection(
            bootstrap: nil, limits: limits, transport: ChannelTransport(channel),
            executor: EventLoopExecutor(eventLoop: channel.eventLoop), logger: logger)
          let incoming = IncomingConnection(
            peer: RPCAddress(channel.remoteAddress), id: connections.nextID(),
            connection: connection)
          connection.offer(bootstrap(incoming))
          connections.add(connection, incoming.id)
          try channel.pipeline.syncOperations.addHandler(
            MessageHandler(connection) {
              connections.remove(incoming.id)
              whenClosed(incoming)
            })
        }
      }
    do {
      let channel: any Channel
      switch address {
      case .tcp(let host, let port):
        channel = try await server.bind(host: host, port: port).get()
      case .unix(let path):
        channel = try await server.bind(unixDomainSocketPath: path).get()
      }
      return RPCListener(channel, RPCAddress(channel.localAddress) ?? address, connections)
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw RPCError.failed("cannot listen on \(address): it is in use")
    } catch {
      throw RPCError.failed("cannot listen on \(address): \(error)")
    }
  }

  /// Stops listening and ends the connections that are open.
  public func close() async {
    try? await channel.close()
    for connection in connections.all { connection.close() }
  }

  /// The connections that are open.
  public var openConnections: [RPCConnection] { connections.all }
}

/// The connections of a listener that are open.
private final class OpenConnections: Sendable {
  private struct State {
    var lastID: UInt64 = 0
    var open: [UInt64: RPCConnection] = [:]
  }
  private let state = Mutex(State())

  func nextID() -> UInt64 {
    state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
  }

  func add(_ connection: RPCConnection, _ id: UInt64) {
    state.withLock { $0.open[id] = connection }
  }

  func remove(_ id: UInt64) {
    // Let go of outside of the lock.
    let connection = state.withLock { $0.open.removeValue(forKey: id) }
    withExtendedLifetime(connection) {}
  }

  var all: [RPCConnection] { state.withLock { Array($0.open.values) } }
}
