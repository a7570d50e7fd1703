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
  ///   - bootstrap: the capability that the vat gets if it asks for one.
  ///   - limits: what the vat may make this side hold.
  ///   - timeout: how long connecting may take.
  ///   - group: the event loops, of which the connection gets one.
  ///   - logger: gets what goes wrong.
  ///   - observers: are told what happens on the connection.
  /// - Returns: the connection, which is open.
  /// - Throws: `RPCError` of kind `disconnected` that says why there is no connection.
  public static func connect(
    to address: RPCAddress, bootstrap: Capability? = nil,
    limits: ConnectionLimits = ConnectionLimits(), timeout: Duration = .seconds(10),
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "capnp.rpc"), observers: [any ConnectionObserver] = []
  ) async throws -> RPCConnection {
    let client = ClientBootstrap(group: group)
      .connectTimeout(TimeAmount(timeout))
      .channelOption(.socketOption(.so_keepalive), value: 1)
    @Sendable func initialize(_ channel: any Channel) -> EventLoopFuture<RPCConnection> {
      channel.eventLoop.makeCompletedFuture {
        let connection = RPCConnection(
          bootstrap: bootstrap, limits: limits, transport: ChannelTransport(channel, limits),
          executor: EventLoopExecutor(channel.eventLoop), logger: logger, observers: observers)
        try channel.pipeline.syncOperations.addHandlers(
          FirstBytesHandler(expected: .messages, isIncoming: false) {
            connection.disconnect(.disconnected($0.reason))
          }, MessageHandler(connection, limits))
        return connection
      }
    }
    do {
      switch address {
      case .tcp(let host, let port):
        return
          try await client
          .channelOption(.tcpOption(.tcp_nodelay), value: 1)
          .connect(host: host, port: port, channelInitializer: initialize)
      case .unix(let path):
        return try await client.connect(
          unixDomainSocketPath: path, channelInitializer: initialize)
      }
    } catch {
      throw RPCError.disconnected("cannot connect to \(address): \(words(for: error))")
    }
  }

  private static func words(for error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      if let first = error.connectionErrors.first { return words(for: first.error) }
      return "the host is not known"
    case ChannelError.connectTimeout: return "no answer in time"
    case let error as IOError where error.errnoCode == ECONNREFUSED:
      return "nothing listens there"
    default: return "\(error)"
    }
  }
}
