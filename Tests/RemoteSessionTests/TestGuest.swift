import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import GuestServices
import RemoteSessionClient
import RemoteSessionGateway
import RemoteSessionSchema
import Synchronization

/// A guest in the test's process, over a manifest like the demonstration's.
final class TestGuest: Sendable {
  static let password = "open sesame"
  let gateway: Gateway
  let audit: Lines
  let log: AuditLog
  /// Those of the gateway.
  let timers = CallTimers()
  private let lastEvent = Mutex<UInt64>(0)

  /// `writing` is called before each line of the audit log; if it throws, the line is not written.
  init(
    _ change: (BootManifest.Builder) -> Void = { _ in },
    writing: @escaping @Sendable () throws -> Void = {}
  ) throws {
    let manifest = try SystemManifest(encoded: Self.manifest(change))
    let lines = Lines()
    audit = lines
    let log = AuditLog {
      try writing()
      lines.append($0)
    }
    self.log = log
    gateway = Gateway(
      sessionManager: .server(
        SessionAuthority(
          manifest, credentials: CredentialStore(manifest),
          broker: AuthorityBroker(manifest, software: "test"),
          log: log)),
      limits: GatewayLimits(
        loginAttempts: manifest.loginAttempts, sessions: manifest.sessions,
        timeWithoutSession: manifest.timeWithoutSession), software: "test", timers: timers)
  }

  /// A new connection to the gateway, in memory.
  func connect() -> GatewayClient { GatewayClient(connectRaw().client) }

  func connectRaw() -> (client: RPCConnection, server: RPCConnection) {
    let event = lastEvent.withLock { event in
      event += 1
      return event
    }
    let source = ConnectionSource(address: "memory:\(event)", host: "memory", event: event)
    let ends = InMemoryNetwork.connect(server: nil)
    ends.server.offer(gateway.accept(source) { [server = ends.server] in server.abort($0) })
    let gateway = gateway
    Task {
      _ = try await ends.server.closed()
      gateway.closed(source)
    }
    return ends
  }

  /// Listens on a free TCP port of this machine.
  func listen() async throws -> RPCListener {
    let gateway = gateway
    return try await RPCListener.listen(
      on: .tcp(host: "127.0.0.1", port: 0),
      whenClosed: { gateway.closed(ConnectionSource(address: "tcp", host: "tcp", event: $0.id)) },
      bootstrap: { incoming in
        gateway.accept(ConnectionSource(address: "tcp", host: "tcp", event: incoming.id)) {
          incoming.connection.abort($0)
        }
      })
  }

  static var credentials: Credentials { .password(account: "operator", password: password) }

  static func manifest(_ change: (BootManifest.Builder) -> Void) -> [UInt8] {
    let message = MessageBuilder()
    message.build(BootManifest.Builder.self) { manifest in
      manifest.hostname = "tested"
      manifest.motd = "hello"
      // A machine that has much else to do is no reason to fail.
      manifest.initLimits().secondsWithoutSession = 600
      let listeners = manifest.initListeners(1)
      listeners[0].guestPort = 2327
      listeners[0].service = .remoteSessionGateway
      let accounts = manifest.initAccounts(2)
      for (index, name) in ["operator", "retired"].enumerated() {
        accounts[index].name = name
        let verifier = accounts[index].initPassword()
        verifier.salt = Array(0..<16)
        verifier.key = key
        verifier.rounds = 1024
        accounts[index].initProfiles(1)[0] = "operator"
      }
      accounts[1].disabled = true
      let profiles = manifest.initProfiles(2)
      profiles[0].name = "operator"
      profiles[0].initMethods(1)[0] = .password
      let grants = profiles[0].initGrants(3)
      for (index, grant) in ["session", "systemInfo", "chat"].enumerated() {
        grants[index] = grant
      }
      profiles[1].name = "anonymous"
      profiles[1].initMethods(1)[0] = .anonymous
      let fewer = profiles[1].initGrants(2)
      fewer[0] = "session"
      fewer[1] = "systemInfo"
      change(manifest)
    }
    return message.flattened()
  }

  /// scrypt of the password with the salt 0, 1, ... 15 and 1024 rounds, by another implementation.
  static let key: [UInt8] = [
    123, 54, 66, 72, 107, 78, 30, 176, 88, 179, 128, 56, 21, 169, 66, 62, 138, 68, 105, 6, 72, 87,
    209, 228, 53, 108, 165, 224, 0, 0, 193, 245,
  ]
}

/// Lines that were logged.
final class Lines: Sendable {
  private let lines = Mutex<[String]>([])
  func append(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}
