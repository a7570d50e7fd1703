import CapnProto
import CapnProtoRPC
import RemoteSessionSchema

extension InteropProof {
  /// A line that one client says reaches another one, through a capability that the other one gave
  /// to the guest.
  func proveChat() async {
    let listener = LineListener()
    let room = "proof"
    let hearing = await step("a first client listens in a room of the chat") {
      let client = try await connect()
      let session = try await client.login(credentials)
      let member = try await session.join(room)
      let results = try await member.subscribe { $0.listener = .server(listener) }.results()
      if results.reader.hasDenial { throw try ChatDenied(results.reader.denial) }
      let subscription = try results.reader.subscription
      return ((client, session, member, subscription), "")
    }
    guard let hearing else { return }
    let speaking = await step("a second client joins on a connection of its own") {
      let client = try await connect()
      let session = try await client.login(credentials)
      return ((session, try await session.join(room)), "")
    }
    guard let speaking else { return }
    await step("lines of the second client reach the first, in order") {
      for number in 1...3 { try await speaking.1.say("line \(number)") }
      let lines = try await withDeadline(patience, "the lines") {
        await listener.lines(3)
      }
      try expect(lines.map(\.text) == ["line 1", "line 2", "line 3"], "got \(lines)")
      try expect(lines.allSatisfy { $0.account == account }, "got \(lines)")
      return lines.map { "\($0.account)#\($0.member): \($0.text)" }.joined(separator: ", ")
    }
    await step("after the listener's logout it hears nothing") {
      try await hearing.1.logout()
      try await speaking.1.say("line 4")
      // A line would be on its way on the listener's connection, before the answer to this call.
      _ = try await hearing.0.describe()
      let count = await listener.heard.count
      try expect(count == 3, "it has heard \(count) lines")
      return ""
    }
    await step("log the second client out") {
      try await speaking.0.logout()
      return ""
    }
    withExtendedLifetime(hearing) {}
  }
}

/// What a client gives to the guest, to be told of lines.
actor LineListener: ChatListener.Server {
  struct Line: Sendable {
    let account: String
    let member: UInt32
    let text: String
  }
  private(set) var heard: [Line] = []
  private var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

  func line(_ call: ChatListener.LineCall) async throws {
    let line = try call.params.line
    heard.append(
      Line(
        account: try line.account.string, member: line.member, text: try line.text.string))
    let ready = waiting.filter { $0.count <= heard.count }
    waiting.removeAll { $0.count <= heard.count }
    for waiter in ready { waiter.continuation.resume() }
  }

  /// The first lines, once there are so many, or what there is when the task is cancelled.
  func lines(_ count: Int) async -> [Line] {
    await withTaskCancellationHandler {
      if heard.count < count, !Task.isCancelled {
        await withCheckedContinuation { waiting.append((count, $0)) }
      }
    } onCancel: {
      Task { await self.giveUp() }
    }
    return heard
  }

  private func giveUp() {
    for waiter in waiting { waiter.continuation.resume() }
    waiting = []
  }
}
