import CapnProto
import CapnProtoRPC
import RemoteSessionSchema

/// The bootstrap object of one connection.
final class GatewayBootstrap: RemoteSessionGateway.Server {
  private let connection: GatewayConnection
  private var gateway: Gateway { connection.gateway }

  init(_ connection: GatewayConnection) { self.connection = connection }

  // The peer and the connection have let go of the object: nobody can use its sessions.
  deinit { gateway.closed(connection.source) }

  func describe(_ call: RemoteSessionGateway.DescribeCall) async throws {
    call.reply {
      let description = $0.initDescription()
      description.protocolVersion = protocolVersion
      description.schemaId = 0xc339_ae07_0f17_1927
      description.software = gateway.software
      description.loginAttempts = UInt32(clamping: gateway.limits.loginAttempts)
      description.sessions = UInt32(clamping: gateway.limits.sessions)
    }
  }

  func authMethods(_ call: RemoteSessionGateway.AuthMethodsCall) async throws {
    let methods = try await gateway.sessionManager.authMethods().results()
    try call.reply { try $0.setMethods(methods.reader.methods) }
  }

  func login(_ call: RemoteSessionGateway.LoginCall) async throws {
    if let denial = try connection.beginAttempt() {
      let request = try call.params.request
      try await noteExcess(request.kind, try request.profile.shortened, denial)
      call.reply { denial.write(to: $0.initDenial()) }
      return
    }
    let session = LiveSession(connection)
    do {
      let outcome = try await ask(call, session)
      if outcome.reader.hasDenial {
        connection.attemptFailed()
        try call.reply { try $0.setDenial(outcome.reader.denial) }
        return
      }
      try session.start(outcome)
    } catch {
      // An attempt that is given up half-way has cost as much as one that failed.
      connection.attemptFailed()
      throw error
    }
    guard connection.attemptSucceeded(session) else {
      session.end("the connection was closed")
      throw RPCError.disconnected("the connection is closed")
    }
    call.reply { $0.session = session.client }
  }

  private func ask(
    _ call: RemoteSessionGateway.LoginCall, _ session: LiveSession
  ) async throws -> Ref<SessionManager.LoginResults.Reader> {
    try await gateway.sessionManager.login {
      try $0.setRequest(try call.params.request)
      connection.source.write(to: $0.initSource())
      $0.control = .server(SessionControlServer(session))
    }.results()
  }

  func begin(_ call: RemoteSessionGateway.BeginCall) async throws {
    let kind = try call.params.kind
    let profile = try call.params.profile.shortened
    let denial: Denial
    if let excess = try connection.beginAttempt() {
      try await noteExcess(kind, profile, excess)
      denial = excess
    } else {
      connection.attemptFailed()
      denial = Denial(.methodDisabled, "the method \(kind) cannot be begun: it is not enabled here")
      try await note(kind, profile, denial)
    }
    call.reply { denial.write(to: $0.initDenial()) }
  }

  private func noteExcess(_ kind: AuthMethodKind, _ profile: String, _ denial: Denial) async throws
  {
    if connection.mustNoteExcess() { try await note(kind, profile, denial) }
  }

  private func note(_ kind: AuthMethodKind, _ profile: String, _ denial: Denial) async throws {
    try await gateway.sessionManager.noteDenial {
      $0.method = kind
      $0.profile = profile
      connection.source.write(to: $0.initSource())
      denial.write(to: $0.initDenial())
    }.finished()
  }
}

extension ConnectionSource {
  func write(to source: LoginSource.Builder) {
    source.address = address
    source.connectionEvent = event
  }
}

extension LoginRequest.Reader {
  /// The method that the request is for, as far as it is known here.
  var kind: AuthMethodKind {
    switch try? which {
    case .anonymous: .anonymous
    default: .password
    }
  }
}

extension TextReader {
  /// A copy of at most 64 characters, for messages and logs.
  var shortened: String {
    let text = string
    return text.count > 64 ? text.prefix(64) + "…" : text
  }
}
