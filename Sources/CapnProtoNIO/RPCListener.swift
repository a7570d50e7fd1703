public import CapnProtoRPC
public import Logging
public import NIOCore
public import NIOPosix
import Synchronization

/// A connection that a listener has accepted.
public struct IncomingConnection: Sendable {
  /// The peer's address, as the socket tells it; nil for most Unix sockets.
  public let peer: RPCAddress?
  /// Counts the connections that this process accepted, at whichever listener, from 1.
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
  ///   - connectionLimit: how many connections may be open at once. One more is told so in an
  ///     `Abort`, and closed.
  ///   - group: the event loops, of which each connection gets one.
  ///   - logger: gets what goes wrong.
  ///   - observers: are told what happens on the connections.
  ///   - whenClosed: is told when a connection is over.
  ///   - bootstrap: makes the capability that a peer gets first; nil if it gets none.
  /// - Returns: the listener, which accepts connections already.
  /// - Throws: `RPCError` that says why it cannot listen.
  public static func listen(
    on address: RPCAddress, limits: ConnectionLimits = ConnectionLimits(),
    connectionLimit: Int = .max,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "capnp.rpc"), observers: [any ConnectionObserver] = [],
    whenClosed: @escaping @Sendable (IncomingConnection) -> Void = { _ in },
    bootstrap: @escaping @Sendable (IncomingConnection) -> Capability?
  ) async throws -> RPCListener {
    let connections = OpenConnections(limit: connectionLimit)
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
            bootstrap: nil, limits: limits, transport: ChannelTransport(channel, limits),
            executor: EventLoopExecutor(channel.eventLoop), logger: logger, observers: observers)
          guard let id = connections.add(connection) else {
            // A peer must not fill the log either.
            logger.debug(
              "connection refused: too many are open", metadata: ["limit": "\(connectionLimit)"])
            guard connections.beginRefusal() else { throw ChannelError.eof }
            try channel.pipeline.syncOperations.addHandler(
              RefusalHandler(
                connection,
                "\(connectionLimit) connections are open here, which is the limit; try again later"
              ) { connections.endRefusal() })
            return
          }
          let incoming = IncomingConnection(
            peer: RPCAddress(channel.remoteAddress), id: id, connection: connection)
          connection.offer(bootstrap(incoming))
          try channel.pipeline.syncOperations.addHandlers(
            FirstBytesHandler(expected: .messages, isIncoming: true) {
              connection.disconnect(.disconnected($0.reason))
            },
            MessageHandler(connection, limits) {
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
      throw RPCError.failed("cannot listen on \(address): it is in use\(address.wayOut)")
    } catch {
      throw RPCError.failed("cannot listen on \(address): \(error)")
    }
  }

  /// Stops listening and ends the connections that are open.
  public func close() async {
    await stopListening()
    for connection in connections.all { connection.close() }
  }

  func stopListening() async { try? await channel.close() }

  /// The connections that are open.
  public var openConnections: [RPCConnection] { connections.all }
}

/// The connections of a listener that are open.
private final class OpenConnections: Sendable {
  /// Of the whole process: the number of a connection means no other one, at any listener.
  private static let lastID = Atomic<UInt64>(0)
  private let open = Mutex<[UInt64: RPCConnection]>([:])
  private let limit: Int
  /// Connections that are being told why they are refused; each keeps its socket until it is told.
  private let refusals = Mutex(0)
  private static let refusalLimit = 32

  init(limit: Int) { self.limit = limit }

  /// Counts the connection in and numbers it; nil if it is one too many.
  func add(_ connection: RPCConnection) -> UInt64? {
    open.withLock { open in
      guard open.count < limit else { return nil }
      let id = Self.lastID.add(1, ordering: .relaxed).newValue
      open[id] = connection
      return id
    }
  }

  func remove(_ id: UInt64) {
    // Let go of outside of the lock.
    let connection = open.withLock { $0.removeValue(forKey: id) }
    withExtendedLifetime(connection) {}
  }

  /// Whether there is room to say why; if not, the connection is just closed.
  func beginRefusal() -> Bool {
    refusals.withLock { count in
      guard count < Self.refusalLimit else { return false }
      count += 1
      return true
    }
  }

  func endRefusal() { refusals.withLock { $0 -= 1 } }

  var all: [RPCConnection] { open.withLock { Array($0.values) } }
}
