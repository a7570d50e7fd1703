import CapnProto
public import CapnProtoNIO
public import CapnProtoRPC
public import RemoteSessionSchema

/// How to prove who logs in.
public enum Credentials: Sendable {
  /// An account and its password.
  case password(account: String, password: String)
  /// Nobody in particular.
  case anonymous

  func write(to request: LoginRequest.Builder) {
    switch self {
    case .password(let account, let password):
      let credentials = request.initPassword()
      credentials.account = account
      credentials.password = password
    case .anonymous: request.setAnonymous()
    }
  }
}

/// A connection to a guest's gateway, for programs of any kind: it has no user interface.
///
/// Its connection stays open until one of its ends closes it, whether or not anything refers to the client:
/// ``close()`` ends it, and ``withConnection(to:patience:_:)`` does so by itself.
public final class GatewayClient: Sendable {
  /// The connection.
  public let connection: RPCConnection
  /// The gateway's bootstrap object.
  public let gateway: RemoteSessionGateway.Client
  /// How long one call may take.
  let patience: Duration

  /// A client over a connection that is open.
  ///
  /// - Parameters:
  ///   - connection: the connection to the gateway.
  ///   - patience: how long one call may take.
  public init(_ connection: RPCConnection, patience: Duration = .seconds(20)) {
    self.connection = connection
    self.patience = patience
    gateway = connection.bootstrap()
  }

  /// Connects, and makes sure that a gateway of a version that fits answers.
  ///
  /// - Parameters:
  ///   - address: where the gateway, or what forwards to it, listens.
  ///   - patience: how long connecting, and later each call, may take.
  /// - Returns: a client whose gateway has answered.
  /// - Throws: `RPCError`, which says in words what was found instead.
  public static func connect(
    to address: RPCAddress, patience: Duration = .seconds(20)
  ) async throws -> GatewayClient {
    let connection = try await RPCConnector.connect(to: address, timeout: patience)
    let client = GatewayClient(connection, patience: patience)
    do {
      try await client.checkContract()
    } catch let error as RPCError {
      client.close()
      throw RPCError(error.kind, "\(address) accepted the connection, but \(error.reason)")
    }
    return client
  }

  /// Connects for as long as the body runs, and closes the connection however it ends.
  ///
  /// - Parameters:
  ///   - address: where the gateway, or what forwards to it, listens.
  ///   - patience: how long connecting, and later each call, may take.
  ///   - body: uses the client.
  /// - Returns: what the body returns.
  /// - Throws: as ``connect(to:patience:)``, and what the body throws.
  nonisolated(nonsending) public static func withConnection<Value>(
    to address: RPCAddress, patience: Duration = .seconds(20),
    _ body: nonisolated(nonsending) (GatewayClient) async throws -> Value
  ) async throws -> Value {
    let client = try await connect(to: address, patience: patience)
    defer { client.close() }
    return try await body(client)
  }

  /// Makes sure that a gateway answers and speaks this program's version of the contract.
  ///
  /// - Returns: what the gateway says of itself.
  /// - Throws: `RPCError`, which says in words what differs, and which side is older where that
  ///   can be known.
  @discardableResult
  public func checkContract() async throws -> GatewaySummary {
    let summary: GatewaySummary
    do {
      summary = try await describe()
    } catch let error as RPCError {
      throw RPCError(error.kind, "no remote session gateway answered: \(error.reason)")
    } catch let error as DecodingError {
      throw RPCError.failed("the gateway's description of itself cannot be read: \(error)")
    }
    guard summary.protocolVersion == protocolVersion else {
      throw RPCError.failed(
        "the gateway speaks version \(summary.protocolVersion) of the remote session contract, this program "
          + "version \(protocolVersion): the "
          + (summary.protocolVersion < protocolVersion ? "guest" : "program") + " is older")
    }
    guard summary.schemaID == schemaId else {
      throw RPCError.failed(
        "the gateway speaks another contract: its schema has the id 0x\(String(summary.schemaID, radix: 16)), "
          + "this program's 0x\(String(schemaId, radix: 16)); both say version \(protocolVersion), "
          + "so neither can be called older")
    }
    return summary
  }

  /// Ends the connection: every session on it ends, and every proxy fails.
  public func close() { connection.close() }

  /// What the gateway says of itself.
  public func describe() async throws -> GatewaySummary {
    let call = gateway.describe()
    return try await withDeadline(patience, "describe") {
      let results = try await call.results()
      return try GatewaySummary(results.reader.description)
    }
  }

  /// Every way to log in, and whether the guest admits it.
  public func authMethods() async throws -> [AuthMethodSummary] {
    let call = gateway.authMethods()
    return try await withDeadline(patience, "authMethods") {
      let results = try await call.results()
      return try results.reader.methods.map { try AuthMethodSummary($0) }
    }
  }

  /// Logs in.
  ///
  /// - Parameters:
  ///   - credentials: the proof.
  ///   - profile: what is asked for; empty for the usual one.
  /// - Returns: the session.
  /// - Throws: ``LoginDenied`` if the guest says no, `RPCError` if it does not answer.
  public func login(
    _ credentials: Credentials, profile: String = ""
  ) async throws -> SessionClient {
    let call = gateway.login {
      let request = $0.initRequest()
      request.profile = profile
      credentials.write(to: request)
    }
    return try await withDeadline(patience, "login") { [self] in
      let results = try await call.results()
      if results.reader.hasDenial { throw try LoginDenied(results.reader.denial) }
      guard let session = try results.reader.session else {
        throw RPCError.failed("the gateway answered the login with neither session nor denial")
      }
      return SessionClient(session, on: self)
    }
  }
}
