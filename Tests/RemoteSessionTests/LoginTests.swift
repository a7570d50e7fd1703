import CapnProto
import CapnProtoRPC
import RemoteSessionClient
import RemoteSessionSchema
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
