import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import RemoteSessionClient
import RemoteSessionSchema
import Testing

@Suite struct SessionTests {
  private func expectDisconnected(_ system: SystemInfo.Client) async {
    let error = await #expect(throws: RPCError.self) { try await system.motd().finished() }
    #expect(error?.kind == .disconnected)
  }

  @Test func proxiesFailClosedAfterLogout() async throws {
    let session = try await TestGuest().connect().login(TestGuest.credentials)
    let system = try await session.get("systemInfo", as: SystemInfo.Client.self)
    try await system.motd().finished()
    try await session.logout()
    await expectDisconnected(system)
    let error = await #expect(throws: RPCError.self) { _ = try await session.info() }
    #expect(error?.reason.contains("logged out") == true)
  }

  @Test func whatWasGotThroughAProxyDiesWithTheSession() async throws {
    let session = try await TestGuest().connect().login(TestGuest.credentials)
    let room = try await session.join("room")
    try await room.say("hello")
    try await session.logout()
    let error = await #expect(throws: RPCError.self) { try await room.say("again") }
    #expect(error?.kind == .disconnected)
  }

  @Test func theGrantedSessionEndsItAsWell() async throws {
    let guest = try TestGuest()
    let session = try await guest.connect().login(TestGuest.credentials)
    let system = try await session.get("systemInfo", as: SystemInfo.Client.self)
    let user = try await session.get("session", as: UserSession.Client.self)
    try await user.logout().finished()
    await expectDisconnected(system)
  }

  @Test func proxiesFailClosedWhenTheSessionExpires() async throws {
    let guest = try TestGuest { $0.profiles[0].sessionSeconds = 5 }
    let session = try await guest.connect().login(TestGuest.credentials)
    let info = try await session.info()
    let left = try #require(info.expiresIn)
    #expect(left > .zero && left <= .seconds(5))
    let system = try await session.get("systemInfo", as: SystemInfo.Client.self)
    try await system.motd().finished()
    try await Task.sleep(for: .milliseconds(5500))
    let error = await #expect(throws: RPCError.self) { try await system.motd().finished() }
    #expect(error?.kind == .disconnected)
    #expect(error?.reason.contains("expired") == true)
  }

  @Test func aSessionEndsWithItsConnectionWhereverItsProxiesWent() async throws {
    let guest = try TestGuest()
    let first = guest.connect()
    let session = try await first.login(TestGuest.credentials)
    let system = try await session.get("systemInfo", as: SystemInfo.Client.self)
    first.close()
    await expectDisconnected(system)
    // The guest notices on its own side.
    for _ in 1...100 where !guest.audit.all.contains(where: { $0.contains("session-end") }) {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(guest.audit.all.last?.contains("the connection was closed") == true)
  }

  @Test func noNumberOfOneConnectionMeansAnythingOnAnother() async throws {
    let guest = try TestGuest()
    let session = try await guest.connect().login(TestGuest.credentials)
    let system = try await session.get("systemInfo", as: SystemInfo.Client.self)
    // The first connection holds exports 0 and up; the second one asks for each by number.
    for number in 0..<8 as Range<UInt32> {
      let (client, server) = guest.connectRaw()
      let forged = MessageBuilder()
      forged.build(Message.Builder.self) {
        let call = $0.initCall()
        call.questionId = 0
        call.interfaceId = SystemInfo._interface.id
        call.initTarget().importedCap = number
      }
      server.receive(forged.freeze())
      // No such export: the connection that asked is aborted.
      let reason = try await withDeadline(.seconds(5), "the abort") { try await client.closed() }
      #expect(reason.kind == .disconnected || reason.kind == .failed)
    }
    try await system.motd().finished()
  }

  @Test func deniedNamesAndInterfacesSayNoMoreThanTheyMust() async throws {
    let session = try await TestGuest().connect().login(.anonymous)
    let hidden = await #expect(throws: CapabilityDenied.self) {
      _ = try await session.get("chat", as: Chat.Client.self)
    }
    let absent = await #expect(throws: CapabilityDenied.self) {
      _ = try await session.get("chut", as: Chat.Client.self)
    }
    #expect(hidden?.reason == .unknownName)
    #expect(hidden?.text.replacing("chat", with: "chut") == absent?.text)
    let wrong = await #expect(throws: CapabilityDenied.self) {
      _ = try await session.get("systemInfo", as: Chat.Client.self)
    }
    #expect(wrong?.reason == .wrongInterface)
    #expect(wrong?.text.contains("services.capnp:SystemInfo") == true)
    #expect(wrong?.text.contains("services.capnp:Chat") == true)
  }

  @Test func chatDenialsAreResults() async throws {
    let session = try await TestGuest().connect().login(TestGuest.credentials)
    let bad = await #expect(throws: ChatDenied.self) { _ = try await session.join("No Room") }
    #expect(bad?.reason == .badRoomName)
    let room = try await session.join("room")
    let long = await #expect(throws: ChatDenied.self) {
      try await room.say(String(repeating: "x", count: 1001))
    }
    #expect(long?.reason == .textTooLong)
  }

  @Test func aSessionsMembershipsInRoomsAreLimited() async throws {
    let session = try await TestGuest().connect().login(TestGuest.credentials)
    var rooms: [ChatRoom.Client] = []
    for number in 1...16 { rooms.append(try await session.join("room-\(number % 3)")) }
    let denied = await #expect(throws: ChatDenied.self) { _ = try await session.join("one-more") }
    #expect(denied?.reason == .tooManyRooms)
    #expect(denied?.text.contains("at most 16") == true)
    rooms.removeLast()
    for _ in 1...100 {
      if let room = try? await session.join("one-more") {
        rooms.append(room)
        break
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(rooms.count == 16)
    try await rooms[0].say("still here")
  }

  @Test func aListenerIsLetGoOfWhenTheSessionEnds() async throws {
    let session = try await TestGuest().connect().login(TestGuest.credentials)
    weak var held: Listener?
    do {
      let listener = Listener()
      held = listener
      let room = try await session.join("room")
      try await room.subscribe { $0.listener = .server(listener) }.finished()
    }
    try await session.logout()
    for _ in 1...100 where held != nil { try await Task.sleep(for: .milliseconds(10)) }
    #expect(held == nil)
  }

  private final class Listener: ChatListener.Server {
    func line(_ call: ChatListener.LineCall) async throws {}
  }
}
