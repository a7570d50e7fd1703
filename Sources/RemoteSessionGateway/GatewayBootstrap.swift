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
      description.schemaId = schemaId
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
    let attempt = Attempt(try? call.params.request)
    if let denial = try connection.beginAttempt() {
      await deny(attempt, denial, isExcess: true)
      call.reply { denial.write(to: $0.initDenial()) }
      return
    }
    let session = LiveSession(connection)
    let asked: RemoteCall<SessionManager.LoginResults.Reader, SessionManager.LoginResults.Pipeline>
    do {
      asked = try ask(call, session)
    } catch {
      connection.attemptFailed()
      let isReadable = error is UnknownMethod
      let denial =
        isReadable
        ? Denial(.methodDisabled, "\(error)")
        : Denial(.malformedRequest, "the request cannot be decoded: \(error)")
      await deny(isReadable ? attempt : .unreadable, denial)
      call.reply { denial.write(to: $0.initDenial()) }
      return
    }
    let outcome: Ref<SessionManager.LoginResults.Reader>
    do {
      outcome = try await asked.results()
      if !outcome.reader.hasDenial { try session.start(outcome) }
    } catch let error as RPCError where error.kind == .overloaded {
      // The proof was not looked at.
      connection.attemptGivenUp()
      throw error
    } catch {
      // An attempt that is given up half-way has cost as much as one that failed.
      connection.attemptFailed()
      throw error
    }
    if outcome.reader.hasDenial {
      connection.attemptFailed()
      try call.reply { try $0.setDenial(outcome.reader.denial) }
      return
    }
    guard connection.attemptSucceeded(session) else {
      session.end("the connection was closed")
      throw RPCError.disconnected("the connection is closed")
    }
    call.reply { $0.session = session.client }
  }

  /// Passes the login on, in a request of the fields that the gateway knows: nothing else of what the peer
  /// sent reaches the authority. What cannot be decoded of it shows before anything is sent.
  private func ask(
    _ call: RemoteSessionGateway.LoginCall, _ session: LiveSession
  ) throws -> RemoteCall<
    SessionManager.LoginResults.Reader, SessionManager.LoginResults.Pipeline
  > {
    try gateway.sessionManager.login {
      try Self.copy(call.params.request, to: $0.initRequest())
      connection.source.write(to: $0.initSource())
      $0.control = .server(SessionControlServer(session))
    }
  }

  private static func copy(_ request: LoginRequest.Reader, to copy: LoginRequest.Builder) throws {
    copy.profile = try request.profile.string
    switch try request.which {
    case .unspecified: copy.setUnspecified()
    case .password(let credentials):
      let password = copy.initPassword()
      password.account = try credentials.account.string
      password.password = try credentials.password.string
    case .anonymous: copy.setAnonymous()
    case .unknown(let number):
      throw UnknownMethod(number: number)
    }
  }

  func begin(_ call: RemoteSessionGateway.BeginCall) async throws {
    let kind = (try? call.params)?.kind
    let attempt =
      kind.map { Attempt($0, profile: (try? call.params.profile.shortened) ?? "") } ?? .unreadable
    let denial: Denial
    if let excess = try connection.beginAttempt() {
      await deny(attempt, excess, isExcess: true)
      denial = excess
    } else {
      connection.attemptFailed()
      if let kind {
        denial = await whyNotBegun(kind)
      } else {
        denial = Denial(.malformedRequest, "the request cannot be decoded")
      }
      await deny(attempt, denial)
    }
    call.reply { denial.write(to: $0.initDenial()) }
  }

  /// Why the method cannot be begun: there are no methods of several steps here, but methods of one
  /// step may be enabled.
  private func whyNotBegun(_ kind: AuthMethodKind) async -> Denial {
    guard let results = try? await gateway.sessionManager.authMethods().results(),
      let methods = try? results.reader.methods.map({ method -> (AuthMethodKind, String?) in
        (method.kind, method.enabled ? nil : try method.whyDisabled.string)
      }), let method = methods.first(where: { $0.0 == kind })
    else { return Denial(.methodDisabled, "the method \(kind) cannot be begun here") }
    guard let why = method.1 else {
      return Denial(
        .malformedRequest, "the method \(kind) takes one step: call login with it, and not begin")
    }
    return Denial(.methodDisabled, "the method \(kind) is disabled: \(why)")
  }

  /// Has the denial noted in the audit log, alone or with others.
  private func deny(_ attempt: Attempt, _ denial: Denial, isExcess: Bool = false) async {
    let denied = DeniedAttempts(last: attempt, reason: denial.reason)
    guard let due = isExcess ? connection.addExcess(denied) : denied else { return }
    await connection.note(due)
  }
}

/// A method of authentication that this gateway's contract does not have.
private struct UnknownMethod: Error, CustomStringConvertible {
  let number: UInt16

  var description: String { "the method with the number \(number) is not known here" }
}
