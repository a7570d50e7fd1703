public import CapnProtoRPC
public import Logging
public import NIOCore
public import NIOPosix

/// Connects to the vat at the address for as long as the body runs, and closes the connection however it ends.
///
/// A connection that is made with ``RPCConnector/connect(to:security:bootstrap:limits:timeout:group:logger:observers:)``
/// stays open until one of its ends closes it, whether or not anything refers to it.
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
///   - body: uses the connection. Calls that have not ended when it returns, and capabilities that it
///     returns, fail with `disconnected`.
/// - Returns: what the body returns.
/// - Throws: what the body throws, and `RPCError` if there is no connection.
nonisolated(nonsending) public func withRPCConnection<Value>(
  to address: RPCAddress, security: ConnectorSecurity? = nil, bootstrap: Capability? = nil,
  limits: ConnectionLimits = ConnectionLimits(), timeout: Duration = .seconds(10),
  group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
  logger: Logger = Logger(label: "capnp.rpc"), observers: [any ConnectionObserver] = [],
  _ body: nonisolated(nonsending) (RPCConnection) async throws -> Value
) async throws -> Value {
  let connection = try await RPCConnector.connect(
    to: address, security: security, bootstrap: bootstrap, limits: limits, timeout: timeout,
    group: group, logger: logger, observers: observers)
  defer { connection.close() }
  return try await body(connection)
}

/// Listens at the address for as long as the body runs, and closes the listener and its connections however it
/// ends.
///
/// - Parameters:
///   - address: where to listen.
///   - security: what protects the connections; nil for nothing.
///   - limits: what each peer may make this side hold.
///   - connectionLimit: how many connections may be open at once.
///   - handshakeTimeout: how long a peer may take until the connection is secure.
///   - group: the event loops, of which each connection gets one.
///   - logger: gets what goes wrong.
///   - observers: are notified of what happens on the connections.
///   - bootstrap: makes the capability that a peer gets first; nil if it gets none.
///   - body: runs while the listener accepts connections. To end them gently, it calls
///     ``RPCListener/shutDown(gracePeriod:reason:)`` before it returns.
/// - Returns: what the body returns.
/// - Throws: what the body throws, and `RPCError` that says why it cannot listen.
nonisolated(nonsending) public func withRPCListener<Value>(
  on address: RPCAddress, security: ListenerSecurity? = nil,
  limits: ConnectionLimits = ConnectionLimits(), connectionLimit: Int = .max,
  handshakeTimeout: Duration = .seconds(10),
  group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
  logger: Logger = Logger(label: "capnp.rpc"), observers: [any ConnectionObserver] = [],
  bootstrap: @escaping @Sendable (IncomingConnection) -> Capability?,
  _ body: nonisolated(nonsending) (RPCListener) async throws -> Value
) async throws -> Value {
  let listener = try await RPCListener.listen(
    on: address, security: security, limits: limits, connectionLimit: connectionLimit,
    handshakeTimeout: handshakeTimeout, group: group, logger: logger, observers: observers,
    bootstrap: bootstrap)
  do {
    let value = try await body(listener)
    await listener.close()
    return value
  } catch {
    await listener.close()
    throw error
  }
}
