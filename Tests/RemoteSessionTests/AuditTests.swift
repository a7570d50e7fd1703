import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import GuestServices
import RemoteSessionClient
import RemoteSessionGateway
import RemoteSessionSchema
import Synchronization
import Testing

/// Every login has one line in the audit log, and every session that was admitted one of its end.
@Suite(.timeLimit(.minutes(5))) struct AuditTests {
  @Test func anAdmittedLoginNamesWhatWasAskedForAndWhatWasGranted() async throws {
    let guest = try TestGuest()
    _ = try await guest.connect().login(TestGuest.credentials)
    #expect(
      guest.audit.all.first
        == "audit: login method=password requested=\"\" outcome=admitted granted=\"operator\" "
        + "source=memory:1 connection=1")
    _ = try await guest.connect().login(.anonymous, profile: "anonymous")
    #expect(
      guest.audit.all.contains(
        "audit: login method=anonymous requested=\"anonymous\" outcome=admitted "
          + "granted=\"anonymous\" source=memory:2 connection=2"))
  }

  @Test func aRequestThatNamesNoMethodIsLoggedAsSuch() async throws {
    let guest = try TestGuest()
    let client = guest.connect()
    _ = try await client.gateway.login { $0.initRequest().profile = "p" }.results()
    #expect(
      guest.audit.all == [
        "audit: login method=none requested=\"p\" outcome=denied(malformedRequest) "
          + "source=memory:1 connection=1"
      ])
  }

  @Test func whyAMethodCannotBeBegunAgreesWithTheListOfMethods() async throws {
    let guest = try TestGuest { $0.limits.loginAttempts = 100 }
    let client = guest.connect()
    let methods = try await client.authMethods()
    #expect(methods.contains { $0.whyDisabled == nil })
    for method in methods {
      let results = try await client.gateway.begin { $0.kind = method.kind }.results()
      let denial = try results.reader.denial
      let text = try denial.text.string
      if let why = method.whyDisabled {
        #expect(denial.reason == .methodDisabled)
        #expect(text == "the method \(method.kind) is disabled: \(why)")
      } else {
        #expect(denial.reason == .malformedRequest)
        #expect(
          text == "the method \(method.kind) takes one step: call login with it, and not begin")
      }
    }
  }

  @Test func aLogThatIsClosedAdmitsNobodyAndStillHasTheEndsOfSessions() async throws {
    let guest = try TestGuest()
    let client = guest.connect()
    _ = try await client.login(.anonymous)
    #expect(guest.log.openSessions == 1)
    guest.log.close("the guest is powering off")
    let error = await #expect(throws: RPCError.self) { _ = try await client.login(.anonymous) }
    #expect(error?.reason.contains("the guest is powering off") == true)
    guest.gateway.endSessions("the guest is powering off")
    #expect(await eventually { guest.log.openSessions == 0 })
    #expect(guest.audit.all.count == 2)
    #expect(guest.audit.all.last?.contains("reason=\"the guest is powering off\"") == true)
  }

  @Test func aMethodThatTheGuestsSchemaLacksIsLoggedByItsNumber() async throws {
    let guest = try TestGuest()
    let client = guest.connect()
    _ = try await client.gateway.begin { $0.kind = .unknown(99) }.results()
    #expect(
      guest.audit.all == [
        "audit: login method=unknown(99) requested=\"\" outcome=denied(methodDisabled) "
          + "source=memory:1 connection=1"
      ])
  }

  /// A call whose request points out of its message, as no builder makes it.
  private func damagedLogin() throws -> MessageReader {
    let message = MessageBuilder()
    message.build(Message.Builder.self) {
      let call = $0.initCall()
      call.questionId = 1
      call.interfaceId = RemoteSessionGateway._interface.id
      call.methodId = 2
      call.initTarget().initPromisedAnswer().questionId = 0
      let login = call.initParams().content.initStructure(
        as: RemoteSessionGateway.LoginParams.Builder.self)
      let request = login.initRequest()
      request.profile = String(repeating: "#", count: 64)
      request.setAnonymous()
    }
    var bytes = message.flattened()
    // The profile's pointer, and one of a method that is not chosen, are the last words before its text.
    let text = try #require(bytes.firstRange(of: Array(repeating: UInt8(ascii: "#"), count: 64)))
    bytes[text.lowerBound - 13] = 0x7f
    return try MessageReader(flat: bytes)
  }

  /// Sends the gateway a call behind the request for it, and waits for the line that says that the
  /// call cannot be read.
  private func expectUnreadable(_ call: consuming MessageReader) async throws {
    let guest = try TestGuest()
    let (client, server) = guest.connectRaw()
    let bootstrap = MessageBuilder()
    bootstrap.build(Message.Builder.self) { $0.initBootstrap().questionId = 0 }
    // The client has not asked, and would end the connection at the answer.
    server.cork()
    server.receive(bootstrap.freeze())
    server.receive(call)
    #expect(await eventually { !guest.audit.all.isEmpty })
    #expect(
      guest.audit.all == [
        "audit: login method=unreadable requested=\"\" outcome=denied(malformedRequest) "
          + "source=memory:1 connection=1"
      ])
    client.close()
  }

  @Test func aRequestThatCannotBeDecodedIsDeniedAndLogged() async throws {
    try await expectUnreadable(damagedLogin())
  }

  @Test func aMethodThatCannotBeDecodedIsDeniedAndLogged() async throws {
    let message = MessageBuilder()
    message.build(Message.Builder.self) {
      let call = $0.initCall()
      call.questionId = 1
      call.interfaceId = RemoteSessionGateway._interface.id
      call.methodId = 3
      call.initTarget().initPromisedAnswer().questionId = 0
      // A list where the params are to be.
      call.initParams().content.setText("begin")
    }
    try await expectUnreadable(message.freeze())
  }

  @Test func attemptsOverTheLimitAreCountedAndNeverSilent() async throws {
    let guest = try TestGuest { $0.limits.loginAttempts = 1 }
    let client = guest.connect()
    for _ in 1...21 {
      await #expect(throws: LoginDenied.self) {
        _ = try await client.login(.anonymous, profile: "root")
      }
    }
    client.close()
    // One that failed, three over the limit one by one, ten together, the rest at the end.
    #expect(await eventually { guest.audit.all.count == 6 })
    let excess = "audit: login method=anonymous requested=\"root\" outcome=denied(tooManyAttempts)"
    let source = " source=memory:1 connection=1"
    #expect(guest.audit.all[0].contains("outcome=denied(profileNotAdmitted)"))
    #expect(guest.audit.all[1...3].allSatisfy { $0 == excess + source })
    #expect(guest.audit.all[4] == excess + " attempts=10" + source)
    #expect(guest.audit.all[5] == excess + " attempts=7" + source)
  }

  @Test func aLoginWhoseCallIsCancelledHasALineOfItsEnd() async throws {
    let guest = try TestGuest()
    // The passwords of others are checked first.
    let others = (1...8).map { _ in guest.connect() }
    let ahead = others.map { other in
      other.gateway.login { Self.write($0, password: "wrong") }
    }
    let client = guest.connect()
    // Dropped while it waits: cancelled.
    _ = client.gateway.login { Self.write($0, password: TestGuest.password) }
    for call in ahead { _ = try await call.results() }
    #expect(await eventually { guest.audit.all.contains { $0.contains("session-end") } })
    let own = guest.audit.all.filter { $0.hasSuffix("connection=9") }
    #expect(own.count == 2)
    #expect(own.first?.contains("outcome=admitted") == true)
    #expect(own.last?.contains("session-end") == true)
    _ = try await client.describe()
  }

  private static func write(
    _ params: RemoteSessionGateway.LoginParams.Builder, password: String
  ) {
    let credentials = params.initRequest().initPassword()
    credentials.account = "operator"
    credentials.password = password
  }

  @Test func aConnectionThatDiesDuringTheLoginEndsTheSessionOnce() async throws {
    let guest = try TestGuest()
    let client = guest.connect()
    let call = client.gateway.login { Self.write($0, password: TestGuest.password) }
    client.close()
    _ = try? await call.results()
    #expect(await eventually { guest.audit.all.contains { $0.contains("session-end") } })
    try await Task.sleep(for: .milliseconds(50))
    #expect(guest.audit.all.count { $0.contains("session-end") } == 1)
    #expect(guest.audit.all.count { $0.contains("outcome=admitted") } == 1)
  }

  @Test func noLoginIsDecidedWhileTheLogCannotBeWritten() async throws {
    struct Full: Error {}
    let isFull = Mutex(true)
    let guest = try TestGuest(writing: { if isFull.withLock({ $0 }) { throw Full() } })
    let client = guest.connect()
    // The right proof, a wrong one, and none: who asks cannot tell them apart.
    for credentials in [
      TestGuest.credentials, .password(account: "operator", password: "wrong"), .anonymous,
    ] {
      let error = await #expect(throws: RPCError.self) { _ = try await client.login(credentials) }
      #expect(error?.kind == .failed)
      #expect(error?.reason.contains("cannot write its audit log") == true)
    }
    #expect(guest.audit.all == [])
    isFull.withLock { $0 = false }
    _ = try await client.login(.anonymous)
    #expect(guest.audit.all.first == "audit: lost lines=3")
    #expect(guest.audit.all.count == 2)
  }

  @Test func anEndThatCannotBeLoggedIsCounted() async throws {
    struct Full: Error {}
    let isFull = Mutex(false)
    let attempts = Mutex(0)
    let guest = try TestGuest(writing: {
      attempts.withLock { $0 += 1 }
      if isFull.withLock({ $0 }) { throw Full() }
    })
    let client = guest.connect()
    let session = try await client.login(.anonymous)
    isFull.withLock { $0 = true }
    try await session.logout()
    #expect(await eventually { attempts.withLock { $0 } == 2 })
    isFull.withLock { $0 = false }
    _ = try await client.login(.anonymous)
    #expect(guest.audit.all.dropFirst().first == "audit: lost lines=1")
    #expect(guest.audit.all.count == 3)
  }
}
