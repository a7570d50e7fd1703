import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import RemoteSessionClient
import RemoteSessionGateway
import RemoteSessionSchema
import Synchronization
import Testing

@Suite struct LoginTests {
  private func denial(
    _ guest: TestGuest, _ credentials: Credentials, profile: String = ""
  ) async throws -> LoginDenial.Reason? {
    let error = await #expect(throws: LoginDenied.self) {
      _ = try await guest.connect().login(credentials, profile: profile)
    }
    return error?.reason
  }

  @Test(
    arguments: [
      ("operator", "wrong", "", LoginDenial.Reason.badCredentials),
      ("nobody", TestGuest.password, "", .badCredentials),
      ("", "", "", .badCredentials),
      ("retired", TestGuest.password, "", .accountDisabled),
      ("retired", "wrong", "", .badCredentials),
      ("operator", TestGuest.password, "anonymous", .profileNotAdmitted),
      ("operator", TestGuest.password, "root", .profileNotAdmitted),
    ]
  )
  func aLoginThatDoesNotFitIsDenied(
    account: String, password: String, profile: String, reason: LoginDenial.Reason
  ) async throws {
    let guest = try TestGuest()
    let seen = try await denial(
      guest, .password(account: account, password: password), profile: profile)
    #expect(seen == reason)
    #expect(guest.audit.all.count == 1)
    #expect(guest.audit.all.first?.contains("outcome=denied(\(reason))") == true)
    #expect(guest.audit.all.first?.contains("source=memory:1 connection=1") == true)
  }

  @Test func anAnonymousLoginDoesNotAdmitToTheOperatorsProfile() async throws {
    let guest = try TestGuest()
    #expect(
      try await denial(guest, .anonymous, profile: "operator") == .profileNotAdmitted)
  }

  @Test func aMethodWithoutAProfileIsDisabled() async throws {
    let guest = try TestGuest { _ = $0.profiles[1].initMethods(0) }
    #expect(try await denial(guest, .anonymous) == .methodDisabled)
    let methods = try await guest.connect().authMethods()
    #expect(methods.first { $0.kind == .anonymous }?.whyDisabled != nil)
  }

  @Test func aRequestThatNamesNoMethodIsMalformed() async throws {
    let client = try TestGuest().connect()
    let results = try await client.gateway.login().results()
    #expect(try results.reader.denial.reason == .malformedRequest)
    #expect(try results.reader.session == nil)
  }

  @Test func failedLoginsAreLimitedOnAConnection() async throws {
    let guest = try TestGuest()
    let client = guest.connect()
    for _ in 1...5 {
      let error = await #expect(throws: LoginDenied.self) {
        _ = try await client.login(.password(account: "operator", password: "wrong"))
      }
      #expect(error?.reason == .badCredentials)
    }
    for _ in 1...3 {
      let error = await #expect(throws: LoginDenied.self) {
        _ = try await client.login(TestGuest.credentials)
      }
      #expect(error?.reason == .tooManyAttempts)
    }
    #expect(guest.audit.all.count == 8)
    // Another connection has attempts of its own.
    try await guest.connect().login(TestGuest.credentials).logout()
  }

  @Test func aLoginThatIsGivenUpHalfWayHasFailed() async throws {
    let manager = PatientSessionManager()
    let gateway = Gateway(
      sessionManager: .server(manager), limits: GatewayLimits(loginAttempts: 3, sessions: 10))
    let ends = InMemoryNetwork.connect(
      server: gateway.accept(
        ConnectionSource(address: "memory:1", host: "memory", event: 1), abort: { _ in }))
    let client = GatewayClient(ends.client)
    for number in 1...3 {
      let attempt = Task { try await client.login(TestGuest.credentials) }
      #expect(await eventually { manager.begun == number })
      attempt.cancel()
      await #expect(throws: CancellationError.self) { _ = try await attempt.value }
      #expect(await eventually { manager.givenUp == number })
    }
    // The gateway hears of the last one a little later than the manager, and then answers it.
    #expect(await eventually { ends.server.tableSizes.answers == 0 })
    let error = await #expect(throws: LoginDenied.self) {
      _ = try await client.login(TestGuest.credentials)
    }
    #expect(error?.reason == .tooManyAttempts)
    #expect(manager.begun == 3)
  }

  @Test(arguments: [16, 17, 24, 31, 32])
  func aVerifierOfAnyLengthAdmitsItsPasswordAlone(_ length: Int) async throws {
    let guest = try TestGuest {
      $0.accounts[0].password.key = Array(TestGuest.key.prefix(length))
    }
    let seen = try await denial(guest, .password(account: "operator", password: "wrong"))
    #expect(seen == .badCredentials)
    try await guest.connect().login(TestGuest.credentials).logout()
  }

  @Test func openSessionsAreLimitedOnAConnection() async throws {
    let client = try TestGuest().connect()
    var sessions: [SessionClient] = []
    for _ in 1...4 { sessions.append(try await client.login(.anonymous)) }
    let error = await #expect(throws: LoginDenied.self) {
      _ = try await client.login(.anonymous)
    }
    #expect(error?.reason == .tooManySessions)
    try await sessions.removeLast().logout()
    _ = try await client.login(.anonymous)
  }

  @Test func methodsOfSeveralStepsAreDeniedInWords() async throws {
    let client = try TestGuest().connect()
    for kind in [AuthMethodKind.publicKey, .oidcBrowser, .passkey] {
      let results = try await client.gateway.begin { $0.kind = kind }.results()
      #expect(try results.reader.denial.reason == .methodDisabled)
      #expect(try results.reader.denial.text.string.contains("\(kind)"))
      #expect(try results.reader.exchange == nil)
    }
  }

  @Test func auditLinesCannotBeForged() async throws {
    let guest = try TestGuest()
    _ = try await denial(
      guest, .password(account: "operator", password: "p\"ss"),
      profile: "x\" outcome=admitted\naudit: login")
    let line = try #require(guest.audit.all.first)
    #expect(guest.audit.all.count == 1)
    #expect(line.contains("requested=\"x? outcome=admitted?audit: login\""))
    #expect(!line.contains("p\"ss"))
  }
}

/// Never decides on a login.
private final class PatientSessionManager: SessionManager.PartialServer {
  private let counts = Mutex((begun: 0, givenUp: 0))
  var begun: Int { counts.withLock { $0.begun } }
  var givenUp: Int { counts.withLock { $0.givenUp } }

  func login(_ call: SessionManager.LoginCall) async throws {
    counts.withLock { $0.begun += 1 }
    defer { counts.withLock { $0.givenUp += 1 } }
    try await Task.sleep(for: .seconds(60))
  }

  func noteDenial(_ call: SessionManager.NoteDenialCall) async throws {}
}
