import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import RemoteSessionClient
import RemoteSessionSchema
import Synchronization
import Testing

@testable import GuestServices

@Suite(.timeLimit(.minutes(5))) struct GatewayLimitTests {
  private let wrong = Credentials.password(account: "operator", password: "wrong")

  private func expectEnd(of client: GatewayClient) async throws {
    let reason = try await withDeadline(.seconds(120), "the end") {
      try await client.connection.closed()
    }
    #expect(reason.reason.contains("had no session for 8 s"), "\(reason)")
  }

  @Test func aConnectionWithoutASessionIsClosedWithAReason() async throws {
    let guest = try TestGuest { $0.limits.secondsWithoutSession = 8 }
    let client = guest.connect()
    _ = try await client.describe()
    try await expectEnd(of: client)
  }

  @Test func aSessionKeepsItsConnectionUntilItEnds() async throws {
    let guest = try TestGuest { $0.limits.secondsWithoutSession = 8 }
    let client = guest.connect()
    let session = try await client.login(.anonymous)
    try await Task.sleep(for: .milliseconds(9500))
    _ = try await session.info()
    try await session.logout()
    _ = try await client.describe()
    try await expectEnd(of: client)
  }

  @Test func `connections and sessions that are over leave nothing until their time is`()
    async throws
  {
    let guest = try TestGuest {
      let profiles = $0.profiles
      for index in profiles.indices { profiles[index].sessionSeconds = 3600 }
    }
    let kept = guest.connect()
    let session = try await kept.login(.anonymous)
    for _ in 1...1000 {
      let client = guest.connect()
      _ = try await client.login(.anonymous)
      client.connection.close()
    }
    // Of the connection and of the session that are left.
    #expect(await eventually { guest.timers.count == 2 })
    #expect(guest.timers.load.deadlines < 100)
    #expect(guest.timers.load.sleepers <= 2)
    try await session.logout()
    #expect(await eventually { guest.timers.count == 1 })
  }

  @Test func failedLoginsAreCountedOverAllConnectionsOfAHost() async throws {
    let guest = try TestGuest { $0.limits.failedLogins = 7 }
    for number in 1...9 {
      let error = await #expect(throws: LoginDenied.self) {
        _ = try await guest.connect().login(wrong)
      }
      #expect(error?.reason == (number <= 7 ? .badCredentials : .tooManyAttempts))
    }
    let error = await #expect(throws: LoginDenied.self) {
      _ = try await guest.connect().login(TestGuest.credentials)
    }
    #expect(error?.text.contains("try again in") == true)
    #expect(guest.audit.all.count == 10)
  }

  @Test func loginsThatSucceedDoNotCountAsFailed() async throws {
    let guest = try TestGuest { $0.limits.failedLogins = 2 }
    for _ in 1...5 { try await guest.connect().login(TestGuest.credentials).logout() }
  }

  @Test func passwordChecksAreLimitedForAllTogether() async throws {
    let guest = try TestGuest { $0.limits.passwordChecksPerMinute = 2 }
    for _ in 1...2 { try await guest.connect().login(TestGuest.credentials).logout() }
    let error = await #expect(throws: RPCError.self) {
      _ = try await guest.connect().login(TestGuest.credentials)
    }
    #expect(error?.kind == .overloaded)
    #expect(guest.audit.all.last?.contains("outcome=failed reason=\"too many passwords") == true)
    // Who needs no check is not held up.
    try await guest.connect().login(.anonymous).logout()
  }

  @Test func aLoginThatTheGuestHadNoTimeForIsNoFailure() async throws {
    let guest = try TestGuest {
      $0.limits.passwordChecksPerMinute = 1
      $0.limits.failedLogins = 2
    }
    let client = guest.connect()
    try await client.login(TestGuest.credentials).logout()
    for _ in 1...10 {
      let error = await #expect(throws: RPCError.self) {
        _ = try await client.login(TestGuest.credentials)
      }
      #expect(error?.kind == .overloaded)
    }
    try await client.login(.anonymous).logout()
  }

  @Test func whoGuessesDoesNotBarOthersOfTheSameHost() async throws {
    let guest = try TestGuest { $0.limits.failedLogins = 2 }
    for _ in 1...3 {
      await #expect(throws: LoginDenied.self) { _ = try await guest.connect().login(wrong) }
    }
    try await guest.connect().login(.anonymous).logout()
    let other = Credentials.password(account: "nobody", password: "x")
    let error = await #expect(throws: LoginDenied.self) {
      _ = try await guest.connect().login(other)
    }
    #expect(error?.reason == .badCredentials)
  }

  @Test func moreLoginsThanMayWaitAreToldSo() async throws {
    let guest = try TestGuest { manifest in
      manifest.limits.failedLogins = 100
      for index in manifest.accounts.indices { manifest.accounts[index].password.rounds = 1 << 14 }
    }
    let wrong = wrong
    let outcomes = await withTaskGroup(of: RPCError.Kind?.self) { group in
      for _ in 1...40 {
        let client = GatewayClient(guest.connectRaw().client, patience: .seconds(240))
        group.addTask {
          do {
            _ = try await client.login(wrong)
          } catch let error as RPCError {
            return error.kind
          } catch {}
          return nil
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let refused = outcomes.count { $0 == .overloaded }
    #expect(refused > 0 && refused <= 40 - CredentialStore.queueLimit, "\(refused)")
    #expect(outcomes.allSatisfy { $0 == nil || $0 == .overloaded })
    #expect(guest.audit.all.count { $0.contains("outcome=failed") } == refused)
    #expect(guest.audit.all.count == 40)
  }

  @Test func aPasswordThatIsTooLongIsNotHashed() async throws {
    let guest = try TestGuest { $0.limits.passwordChecksPerMinute = 1 }
    for _ in 1...3 {
      let error = await #expect(throws: LoginDenied.self) {
        _ = try await guest.connect().login(
          .password(account: "operator", password: String(repeating: "x", count: 1025)))
      }
      #expect(error?.reason == .malformedRequest)
    }
    try await guest.connect().login(TestGuest.credentials).logout()
  }

  @Test func aHostIsForgottenInTimeAndTheTableIsBounded() {
    let clock = Mutex(ContinuousClock.now)
    let throttle = LoginThrottle(limit: 2) { clock.withLock { $0 } }
    func guessed(_ host: String, _ account: String = "operator") -> LoginThrottle.Guessed {
      LoginThrottle.Guessed(host: host, account: account)
    }
    #expect(throttle.begin(guessed("a")) == nil)
    #expect(throttle.begin(guessed("a")) == nil)
    #expect(throttle.begin(guessed("a")) == LoginThrottle.pace)
    #expect(throttle.begin(guessed("b")) == nil)
    #expect(throttle.begin(guessed("a", "guest")) == nil)
    clock.withLock { $0 += LoginThrottle.pace }
    #expect(throttle.begin(guessed("a")) == nil)
    #expect(throttle.begin(guessed("a")) == LoginThrottle.pace)
    throttle.takeBack(guessed("a"))
    #expect(throttle.begin(guessed("a")) == nil)
    for number in 0..<3000 { _ = throttle.begin(guessed("host \(number)")) }
    #expect(throttle.count == LoginThrottle.memory)
    // Whoever has failed most is remembered longest.
    #expect(throttle.begin(guessed("a")) != nil)
  }
}
