import CapnProto
import CapnProtoRPC
import Logging
import NIOCore

/// Makes connections of the channels that a listener accepts.
struct ConnectionAcceptor: Sendable {
  let layers: [any ChannelLayer]
  /// Whether descriptors go along with messages, over Unix sockets.
  let passesDescriptors: Bool
  let limits: ConnectionLimits
  let connectionLimit: Int
  let handshakeTimeout: Duration
  let logger: Logger
  let observers: [any ConnectionObserver]
  let whenClosed: @Sendable (IncomingConnection) -> Void
  let bootstrap: @Sendable (IncomingConnection) -> Capability?
  let connections: OpenConnections

  /// Makes a connection of the channel, on its event loop, or tells the peer why not.
  func accept(_ channel: any Channel) throws {
    guard let id = try connections.admit(close: { channel.close(promise: nil) }) else {
      try refuse(channel)
      return
    }
    guard !passesDescriptors else {
      try takeOver(channel, id)
      return
    }
    channel.closeFuture.whenComplete { _ in connections.remove(id) }
    openLayers(layers, on: channel, isIncoming: true, within: handshakeTimeout)
      .flatMapThrowing { certificate in
        do {
          try open(channel, id, certificate)
        } catch {
          channel.close(promise: nil)
          throw error
        }
      }
      .whenFailure { error in
        let reason = (error as? RPCError)?.reason ?? "\(error)"
        logger.debug("connection refused", metadata: ["reason": "\(reason.escapedForDisplay)"])
      }
  }

  private func open(
    _ channel: any Channel, _ id: UInt64, _ certificate: PeerCertificate?
  ) throws {
    let opened = connection(over: channel)
    let incoming = try open(id, opened.connection, channel, certificate)
    try opened.read(isIncoming: true)
    // After the place is free again.
    channel.closeFuture.whenComplete { _ in whenClosed(incoming) }
  }

  /// Makes a connection of the channel's socket, and closes the channel.
  private func takeOver(_ channel: any Channel, _ id: UInt64) throws {
    defer { channel.close(promise: nil) }
    do {
      let transport = DescriptorTransport(try UnixSocket(takenFrom: channel), limits)
      let connection = RPCConnection(
        bootstrap: nil, limits: limits, transport: transport, executor: transport.queue,
        logger: logger, observers: observers)
      let incoming = try open(id, connection, channel, nil)
      transport.start(connection) {
        connections.remove(id)
        whenClosed(incoming)
      }
    } catch {
      connections.remove(id)
      logger.debug("connection refused", metadata: ["reason": "\("\(error)".escapedForDisplay)"])
      throw error
    }
  }

  private func open(
    _ id: UInt64, _ connection: RPCConnection, _ channel: any Channel,
    _ certificate: PeerCertificate?
  ) throws -> IncomingConnection {
    guard connections.open(id, connection) else { throw ChannelError.eof }
    let incoming = IncomingConnection(
      peer: RPCAddress(channel.remoteAddress), id: id, certificate: certificate,
      connection: connection)
    connection.offer(bootstrap(incoming))
    return incoming
  }

  private func refuse(_ channel: any Channel) throws {
    // A peer must not fill the log either.
    logger.debug(
      "connection refused: too many are open", metadata: ["limit": "\(connectionLimit)"])
    guard connections.beginRefusal() else { throw ChannelError.eof }
    try channel.pipeline.syncOperations.addHandler(
      RefusalHandler(
        connection(over: channel).connection,
        "\(connectionLimit) connections are open here, which is the limit; try again later"
      ) { connections.endRefusal() })
  }

  private func connection(over channel: any Channel) -> ChannelConnection {
    ChannelConnection(
      channel, bootstrap: nil, limits: limits, hasLayers: !layers.isEmpty, logger: logger,
      observers: observers)
  }
}
