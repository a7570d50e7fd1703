public import CapnProtoRPC
public import RemoteSessionSchema
import Synchronization

/// Where a connection came from: derived from the accepted socket by the owner of the listener,
/// never from what the peer says.
public struct ConnectionSource: Hashable, Sendable {
  /// The peer's address.
  public var address: String
  /// The address without what changes from one connection to the next, such as its port: what
  /// failed logins are counted by.
  public var host: String
  /// Counts the connections that were accepted, at all listeners of the gateway.
  public var event: UInt64

  /// A source, as the owner of the listener knows it.
  public init(address: String, host: String, event: UInt64) {
    self.address = address
    self.host = host
    self.event = event
  }
}

/// What one connection may do at the gateway.
public struct GatewayLimits: Hashable, Sendable {
  /// How often a login may fail on one connection.
  public var loginAttempts: Int
  /// How many sessions may be open on one connection.
  public var sessions: Int
  /// How long a connection may be open without a session.
  public var timeWithoutSession: Duration

  /// Limits for one connection.
  public init(
    loginAttempts: Int = 5, sessions: Int = 4, timeWithoutSession: Duration = .seconds(60)
  ) {
    self.loginAttempts = loginAttempts
    self.sessions = sessions
    self.timeWithoutSession = timeWithoutSession
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
  /// Ends sessions that expire, and connections without a session.
  let timers: CallTimers
  private let connections = Mutex<[ConnectionSource: GatewayConnection]>([:])

  /// A gateway without connections.
  ///
  /// - Parameters:
  ///   - sessionManager: checks proofs and mints sessions.
  ///   - limits: what one connection may do.
  ///   - software: what the gateway calls itself.
  public convenience init(
    sessionManager: SessionManager.Client, limits: GatewayLimits = GatewayLimits(),
    software: String = "swift-capnproto guest"
  ) {
    self.init(
      sessionManager: sessionManager, limits: limits, software: software, timers: .shared)
  }

  /// As the public initializer, with timers of its own.
  package init(
    sessionManager: SessionManager.Client, limits: GatewayLimits, software: String,
    timers: CallTimers
  ) {
    self.sessionManager = sessionManager
    self.limits = limits
    self.software = software
    self.timers = timers
  }

  /// The bootstrap object of a connection that was accepted.
  ///
  /// - Parameters:
  ///   - source: where it came from; no other open connection has the same.
  ///   - abort: ends the connection and tells the peer the reason.
  /// - Returns: the capability that the connection's peer gets first.
  public func accept(
    _ source: ConnectionSource, abort: @escaping @Sendable (_ reason: String) -> Void
  ) -> Capability {
    let connection = GatewayConnection(self, source, abort: abort)
    let replaced = connections.withLock { $0.updateValue(connection, forKey: source) }
    replaced?.close()
    connection.watch()
    return Capability(RemoteSessionGateway.Client.server(GatewayBootstrap(connection)))
  }

  /// Ends every session with the reason, which the audit log gets; connections stay open.
  ///
  /// It comes before the end of the connections where the guest shuts down: a connection that is
  /// over gives its sessions a reason of its own.
  public func endSessions(_ reason: String) {
    for connection in connections.withLock({ Array($0.values) }) { connection.endSessions(reason) }
  }

  /// The connection is over: its sessions end, and everything got through them.
  public func closed(_ source: ConnectionSource) {
    connections.withLock { $0.removeValue(forKey: source) }?.close()
  }
}
