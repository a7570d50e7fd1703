public import CapnProtoNIO
public import CapnProtoRPC
public import Logging
public import NIOCore
public import NIOPosix

extension RPCConnector {
  /// Connects to the vat at the address, over WebSocket.
  ///
  /// - Parameters:
  ///   - address: where the vat takes connections.
  ///   - security: TLS, for `wss://` and only then.
  ///   - bootstrap: the capability that the vat gets if it asks for one.
  ///   - limits: what the vat may make this side hold.
  ///   - timeout: how long connecting may take, and then how long until the connection is ready.
  ///   - group: the event loops, of which the connection gets one.
  ///   - logger: gets what goes wrong.
  ///   - observers: are notified of what happens on the connection.
  /// - Returns: the connection, which is open.
  /// - Throws: `RPCError` that says why there is no connection: of kind `failed` if the settings or the
  ///   server have to change before there can be one, as for a path that it does not serve; else of
  ///   kind `disconnected`.
  public static func connect(
    to address: WebSocketAddress, security: ConnectorSecurity? = nil,
    bootstrap: Capability? = nil, limits: ConnectionLimits = ConnectionLimits(),
    timeout: Duration = .seconds(10),
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "capnp.rpc"), observers: [any ConnectionObserver] = []
  ) async throws -> RPCConnection {
    try address.check(hasSecurity: security != nil)
    let socket = RPCAddress.tcp(host: address.host, port: address.port)
    var layers = try [security?.layer(socket)].compactMap { $0 }
    layers.append(
      WebSocketClientLayer(address: address, frameLimit: WebSocketLayer.frameLimit(limits)))
    return try await connect(
      to: socket, named: "\(address)", layers: layers, bootstrap: bootstrap, limits: limits,
      timeout: timeout, group: group, logger: logger, observers: observers)
  }
}

extension RPCListener {
  /// Listens at the address, for connections over WebSocket.
  ///
  /// - Parameters:
  ///   - address: where to listen; requests for another path are refused. The host is the one of an
  ///     interface, or an address of it.
  ///   - security: TLS, for `wss://` and only then.
  ///   - origins: the web sites whose pages may connect, as browsers name them:
  ///     `https://example.org`. Without, none may: a browser lets any page connect anywhere, also to
  ///     what only its machine can reach, and leaves it to the server to refuse.
  ///   - limits: what each peer may make this side hold.
  ///   - connectionLimit: how many connections may be open at once.
  ///   - handshakeTimeout: how long a peer may take until the connection is ready.
  ///   - group: the event loops, of which each connection gets one.
  ///   - logger: gets what goes wrong.
  ///   - observers: are notified of what happens on the connections.
  ///   - whenClosed: is told when a connection is over.
  ///   - bootstrap: makes the capability that a peer gets first; nil if it gets none.
  /// - Returns: the listener, which accepts connections already. Its address is that of the socket.
  /// - Throws: `RPCError` that says why it cannot listen.
  public static func listen(
    on address: WebSocketAddress, security: ListenerSecurity? = nil, origins: Set<String> = [],
    limits: ConnectionLimits = ConnectionLimits(), connectionLimit: Int = .max,
    handshakeTimeout: Duration = .seconds(10),
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "capnp.rpc"), observers: [any ConnectionObserver] = [],
    whenClosed: @escaping @Sendable (IncomingConnection) -> Void = { _ in },
    bootstrap: @escaping @Sendable (IncomingConnection) -> Capability?
  ) async throws -> RPCListener {
    try address.check(hasSecurity: security != nil)
    var layers = [security?.layer].compactMap { $0 }
    layers.append(
      WebSocketServerLayer(
        admission: WebSocketAdmission(path: address.path, origins: origins),
        frameLimit: WebSocketLayer.frameLimit(limits)))
    return try await listen(
      on: .tcp(host: address.host, port: address.port), layers: layers, limits: limits,
      connectionLimit: connectionLimit, handshakeTimeout: handshakeTimeout, group: group,
      logger: logger, observers: observers, whenClosed: whenClosed, bootstrap: bootstrap)
  }
}

extension WebSocketAddress {
  /// Whether the parts make an address, and there is TLS if it says so: that must be said twice in the
  /// same way, as it is too easily left out.
  fileprivate func check(hasSecurity: Bool) throws(RPCError) {
    guard (try? WebSocketAddress(parsing: "\(self)")) == self else {
      throw .failed("the parts of \"\(self)\" make no address of WebSocket")
    }
    guard isSecure != hasSecurity else { return }
    throw .failed(
      isSecure
        ? "\(self) needs TLS: give its settings (security)"
        : "\(self) is without TLS: write wss://, or give no settings for TLS (security)")
  }
}
