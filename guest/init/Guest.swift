import CapnProtoNIO
import CapnProtoRPC
import GuestInit
import GuestServices
import RemoteSessionGateway
import RemoteSessionSchema

/// The guest's authority, services and gateway, in one process.
struct Guest {
  private static let software = "swift-capnproto guest"
  private let listeners: [RPCListener]
  private let gateway: Gateway
  private let audit: AuditLog

  /// Starts what the boot manifest asks for.
  ///
  /// - Parameters:
  ///   - path: the encoded manifest.
  ///   - host: the address to listen on.
  ///   - port: the port to listen on instead of the manifest's, where it has one listener.
  /// - Returns: the guest, which accepts connections.
  /// - Throws: words for the boot log.
  static func start(manifestAt path: String, host: String, port: UInt16?) async throws -> Guest {
    let manifest = try SystemManifest(encoded: try GuestFile.read(path))
    BootLog.line(
      "init: the boot manifest has \(manifest.accounts.count) accounts, "
        + "\(manifest.profiles.count) profiles, \(manifest.listeners.count) listeners")
    let audit = AuditLog { try BootLog.write($0) }
    let authority = SessionAuthority(
      manifest, credentials: CredentialStore(manifest),
      broker: AuthorityBroker(manifest, software: software), log: audit)
    let gateway = Gateway(
      sessionManager: .server(authority),
      limits: GatewayLimits(
        loginAttempts: manifest.loginAttempts, sessions: manifest.sessions,
        timeWithoutSession: manifest.timeWithoutSession),
      software: software)
    var listeners: [RPCListener] = []
    for listener in manifest.listeners {
      let chosen = manifest.listeners.count == 1 ? port : nil
      listeners.append(
        try await listen(listener, gateway, host: host, port: chosen ?? listener.guestPort))
    }
    // The runner waits for the word: connections are accepted from here on.
    // A log that cannot be written admits nobody, and this is its first line.
    try BootLog.write(
      "gateway: listening on \(listeners.map { "\($0.address)" }.joined(separator: " "))")
    return Guest(listeners: listeners, gateway: gateway, audit: audit)
  }

  /// Stops listening, and ends every session and connection: the audit log gets a line for each
  /// session, and each peer the reason in an `Abort`.
  ///
  /// It returns when that is done, and within 8 seconds.
  func stop(_ reason: String) async {
    audit.close(reason)
    gateway.endSessions(reason)
    await withTaskGroup(of: Void.self) { group in
      for listener in listeners {
        group.addTask { await listener.shutDown(gracePeriod: .zero, reason: reason) }
      }
    }
    let end = ContinuousClock.now + .seconds(2)
    while audit.openSessions > 0, ContinuousClock.now < end {
      try? await Task.sleep(for: .milliseconds(5))
    }
  }

  private static func listen(
    _ listener: SystemManifest.Listener, _ gateway: Gateway, host: String, port: UInt16
  ) async throws -> RPCListener {
    try await RPCListener.listen(
      on: .tcp(host: host, port: Int(port)), limits: listener.limits,
      connectionLimit: listener.connections,
      whenClosed: { gateway.closed(ConnectionSource($0)) },
      bootstrap: { incoming in
        gateway.accept(ConnectionSource(incoming)) { incoming.connection.abort($0) }
      })
  }
}

extension ConnectionSource {
  /// The source as the listener knows it.
  init(_ connection: IncomingConnection) {
    let host: String? = if case .tcp(let host, _) = connection.peer { host } else { nil }
    self.init(
      address: connection.peer.map { "\($0)" } ?? "unknown", host: host ?? "local",
      event: connection.id)
  }
}
