public import CapnProtoRPC
public import Logging
public import NIOCore
public import NIOPosix

/// Connects to vats that listen.
public enum RPCConnector {
  /// Connects to the vat at the address.
  ///
  /// - Parameters:
  ///   - address: where the vat listens.
  ///   - security: what protects the connection; nil for nothing.
  ///   - bootstrap: the capability that the vat gets if it asks for one.
  ///   - limits: what the vat may make this side hold.
  ///   - timeout: how long connecting may take, and then how long until the connection is secure.
  ///   - group: the event loops, of which the connection gets one.
  ///   - logger: gets what goes wrong.
  ///   - observers: are notified of what happens on the connection.
  /// - Returns: the connection, which is open.
  /// - Throws: `RPCError` that says why there is no connection: of kind `failed` if the settings or the
  ///   peer have to change before there can be one, as a certificate that is refused, a peer that
  ///   speaks something else or a host that does not exist; else of kind `disconnected`.
  public static func connect(
    to address: RPCAddress, security: ConnectorSecurity? = nil, bootstrap: Capability? = nil,
    limits: ConnectionLimits = ConnectionLimits(), timeout: Duration = .seconds(10),
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "capnp.rpc"), observers: [any ConnectionObserver] = []
  ) async throws -> RPCConnection {
    try await connect(
      to: address, named: "\(address)",
      layers: try [security?.layer(address)].compactMap { $0 }, bootstrap: bootstrap,
      limits: limits, timeout: timeout, group: group, logger: logger, observers: observers)
  }

  /// As `connect`, through the layers, the first of which is next to the socket.
  package static func connect(
    to address: RPCAddress, named name: String, layers: [any ChannelLayer],
    bootstrap: Capability?, limits: ConnectionLimits, timeout: Duration,
    group: any EventLoopGroup, logger: Logger, observers: [any ConnectionObserver]
  ) async throws -> RPCConnection {
    do throws(RPCError) {
      try address.check(forListening: false)
    } catch {
      throw refusal(name, error)
    }
    let client = ClientBootstrap(group: group)
      .connectTimeout(TimeAmount(timeout.bounded))
      .channelOption(.socketOption(.so_keepalive), value: 1)
    if case .unix(let path) = address, address.carriesDescriptors(limits, layers) {
      do {
        return connection(
          over: try await client.takenOver(path), bootstrap: bootstrap, limits: limits,
          logger: logger, observers: observers)
      } catch {
        throw refusal(name, error)
      }
    }
    @Sendable func initialize(_ channel: any Channel) -> EventLoopFuture<Opening> {
      channel.eventLoop.makeCompletedFuture {
        let opened = openLayers(layers, on: channel, isIncoming: false, within: timeout)
        let connection = opened.flatMapThrowing { _ in
          let opened = ChannelConnection(
            channel, bootstrap: bootstrap, limits: limits, hasLayers: !layers.isEmpty,
            logger: logger, observers: observers)
          try opened.read(isIncoming: false)
          return opened.connection
        }
        return Opening(connection: connection)
      }
    }
    do {
      let opening =
        switch address {
        case .tcp(let host, let port):
          try await client
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: host, port: port, channelInitializer: initialize)
        case .unix(let path):
          try await client.connect(unixDomainSocketPath: path, channelInitializer: initialize)
        }
      return try await opening.connection.get()
    } catch {
      throw refusal(name, error)
    }
  }

  /// A connection over a Unix socket that is connected already: one of a pair (`socketpair`), say, whose
  /// other end a process was started with. Descriptors go along with messages if the limits let any
  /// come.
  ///
  /// - Parameters:
  ///   - socket: the socket, which is the connection's from now on. It does not wait any more.
  ///   - bootstrap: the capability that the peer gets if it asks for one.
  ///   - limits: what the peer may make this side hold.
  ///   - logger: gets what goes wrong.
  ///   - observers: are notified of what happens on the connection.
  /// - Returns: the connection, which is open.
  /// - Throws: `RPCError` if the descriptor is no Unix socket.
  public static func connection(
    over socket: OpenDescriptor, bootstrap: Capability? = nil,
    limits: ConnectionLimits = ConnectionLimits(),
    logger: Logger = Logger(label: "capnp.rpc"), observers: [any ConnectionObserver] = []
  ) throws -> RPCConnection {
    do {
      return connection(
        over: try UnixSocket(socket), bootstrap: bootstrap, limits: limits, logger: logger,
        observers: observers)
    } catch {
      throw RPCError.failed("descriptor \(socket.rawValue) is no Unix socket: \(error)")
    }
  }

  private static func connection(
    over socket: UnixSocket, bootstrap: Capability?, limits: ConnectionLimits, logger: Logger,
    observers: [any ConnectionObserver]
  ) -> RPCConnection {
    let transport = DescriptorTransport(socket, limits)
    let connection = RPCConnection(
      bootstrap: bootstrap, limits: limits, transport: transport, executor: transport.queue,
      logger: logger, observers: observers)
    transport.start(connection)
    return connection
  }

  private static func refusal(_ name: String, _ error: any Error) -> RPCError {
    let (kind, words) = meaning(of: error)
    return RPCError(kind, "cannot connect to \(name): \(words)")
  }

  /// A connection whose layers may not be open yet.
  private struct Opening: Sendable {
    let connection: EventLoopFuture<RPCConnection>
  }

  private static func meaning(of error: any Error) -> (RPCError.Kind, String) {
    switch error {
    case let error as RPCError: return (error.kind, error.reason)
    case let error as NIOConnectionError:
      if let first = error.connectionErrors.first { return meaning(of: first.error) }
      // Who is asked for names may say that there is none, or not be reached.
      let answers = [error.dnsAError, error.dnsAAAAError].compactMap {
        $0 as? SocketAddressError.UnknownHost
      }
      let isKnownToBeNone =
        !answers.isEmpty && answers.allSatisfy { $0.errorCode == Int(EAI_NONAME) }
      return (isKnownToBeNone ? .failed : .disconnected, "the host is not known")
    case ChannelError.connectTimeout: return (.disconnected, "no answer in time")
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      return (.disconnected, "nothing listens there")
    case let error as IOError where error.errnoCode == ENOENT:
      return (.disconnected, "there is no socket at the path")
    case let error as IOError where error.errnoCode == EACCES:
      return (.failed, "the system does not permit it (\(error))")
    case let error as IOError where error.errnoCode == ENOTDIR:
      return (.failed, "a part of the path is not a folder")
    case let error as IOError where error.errnoCode == EPROTOTYPE:
      return (.failed, "the socket there is of another kind")
    default: return (.disconnected, "\(error)")
    }
  }
}
