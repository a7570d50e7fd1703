public import CapnProtoRPC
public import RemoteSessionSchema
import Synchronization

/// Where a connection came from: derived from the accepted socket by the owner of the listener,
/// never from what the peer says.
public struct ConnectionSource: Hashable, Sendable {
  /// The peer's address.
  public var address: String
  /// Counts the connections that were accepted.
  public var event: UInt64

  /// A source, as the owner of the listener knows it.
  public init(address: String, event: UInt64) {
    self.address = address
    self.event = event
  }
}

/// What one connection may do at the gateway.
public struct GatewayLimits: Hashable, Sendable {
  /// How often a login may fail on one connection.
  public var loginAttempts: Int
  /// How many sessions may be open on one connection.
  public var sessions: Int

  /// Limits for one connection.
  public init(loginAttempts: Int = 5, sessions: Int = 4) {
    self.loginAttempts = loginAttempts
    self.sessions = sessions
  }
}

/// Gives each connection its bootstrap object, and ends its sessions with it.
///
/// It knows no transport: whoever owns the listener tells it of connections. Of the guest it holds
/// the session manager and nothing else.
public final class Gateway: Sendable {
  let sessionManager: SessionManager.Client
  let limits: GatewayLimits
  let software: String
  private let connections = Mutex<[ConnectionSource: GatewayConnection]>([:])

  /// A gateway without connections.
  ///
  /// - Parameters:
  ///   - sessionManager: checks proofs and mints sessions.
  ///   - limits: what one connection may do.
  ///   - software: what the gateway calls itself.
  public init(
    sessionManager: SessionManager.Client, limits: GatewayLimits = GatewayLimits(),
    software: String = "swift-capnproto guest"
  ) {
    self.sessionManager = sessionManager
    self.limits = limits
    self.software = software
  }

  /// The bootstrap object of a connection that was accepted.
  public func accept(_ source: ConnectionSource) -> Capability {
    let connection = GatewayConnection(self, source)
    let replaced = connections.withLock { $0.updateValue(connection, forKey: source) }
    replaced?.close()
    return RemoteSessionGateway.Client.server(GatewayBootstrap(connection))._capability
  }

  /// The connection is over: its sessions end, and everything got through them.
  public func closed(_ source: ConnectionSource) {
    connections.withLock { $0.removeValue(forKey: source) }?.close()
  }
}
