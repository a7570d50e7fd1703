public import CapnProtoRPC
public import Logging
public import NIOCore
public import NIOPosix

/// A connection that a listener has accepted.
public struct IncomingConnection: Sendable {
  /// The peer's address, as the socket tells it; nil for most Unix sockets.
  public let peer: RPCAddress?
  /// Counts the connections that this process accepted, at whichever listener, from 1.
  public let id: UInt64
  /// The certificate that the peer has proven to hold, if the listener asks for one
  /// (`CapnProtoTLS`); it is verified.
  public let certificate: PeerCertificate?
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
  ///   - address: where to listen. At a Unix socket's path nothing may be but a socket whose
  ///     process is gone, which is replaced.
  ///   - security: what protects the connections; nil for nothing.
  ///   - limits: what each peer may make this side hold.
  ///   - connectionLimit: how many connections may be open at once. One more is told so in an
  ///     `Abort`, and closed.
  ///   - handshakeTimeout: how long a peer may take until the connection is secure.
  ///   - group: the event loops, of which each connection gets one.
  ///   - logger: gets what goes wrong.
  ///   - observers: are notified of what happens on the connections.
  ///   - whenClosed: is told when a connection is over.
  ///   - bootstrap: makes the capability that a peer gets first; nil if it gets none.
  /// - Returns: the listener, which accepts connections already.
  /// - Throws: `RPCError` that says why it cannot listen.
  public static func listen(
    on address: RPCAddress, security: ListenerSecurity? = nil,
    limits: ConnectionLimits = ConnectionLimits(), connectionLimit: Int = .max,
    handshakeTimeout: Duration = .seconds(10),
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "capnp.rpc"), observers: [any ConnectionObserver] = [],
    whenClosed: @escaping @Sendable (IncomingConnection) -> Void = { _ in },
    bootstrap: @escaping @Sendable (IncomingConnection) -> Capability?
  ) async throws -> RPCListener {
    try await listen(
      on: address, layers: [security?.layer].compactMap { $0 }, limits: limits,
      connectionLimit: connectionLimit, handshakeTimeout: handshakeTimeout, group: group,
      logger: logger, observers: observers, whenClosed: whenClosed, bootstrap: bootstrap)
  }

  /// As `listen`, through the layers, the first of which is next to the socket.
  package static func listen(
    on address: RPCAddress, layers: [any ChannelLayer], limits: ConnectionLimits,
    connectionLimit: Int, handshakeTimeout: Duration, group: any EventLoopGroup, logger: Logger,
    observers: [any ConnectionObserver],
    whenClosed: @escaping @Sendable (IncomingConnection) -> Void,
    bootstrap: @escaping @Sendable (IncomingConnection) -> Capability?
  ) async throws -> RPCListener {
    let connections = OpenConnections(limit: connectionLimit)
    let acceptor = ConnectionAcceptor(
      layers: layers, passesDescriptors: address.carriesDescriptors(limits, layers),
      limits: limits, connectionLimit: connectionLimit,
      handshakeTimeout: handshakeTimeout, logger: logger, observers: observers,
      whenClosed: whenClosed, bootstrap: bootstrap, connections: connections)
    let server = ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptPauseHandler(logger))
        }
      }
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if case .tcp = address {
            try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
          }
          try acceptor.accept(channel)
        }
      }
    do {
      try address.check(forListening: true)
      let channel: any Channel
      switch address {
      case .tcp(let host, let port):
        channel = try await server.bind(host: host, port: port).get()
      case .unix(let path):
        let claim = try await UnixSocketPath(path).claim()
        channel = try await server.bind(unixDomainSocketPath: path).get()
        withExtendedLifetime(claim) {}
      }
      return RPCListener(channel, RPCAddress(channel.localAddress) ?? address, connections)
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw RPCError.failed("cannot listen on \(address): it is in use\(address.wayOut)")
    } catch let error as RPCError {
      throw RPCError.failed("cannot listen on \(address): \(error.reason)")
    } catch {
      throw RPCError.failed("cannot listen on \(address): \(error)")
    }
  }

  /// Stops listening and ends the connections that are open.
  public func close() async {
    await stopListening()
    for connection in connections.all { connection.close() }
  }

  func stopListening() async {
    try? await channel.close()
    connections.close()
  }

  /// The connections that are open.
  public var openConnections: [RPCConnection] { connections.all }
}
