import CapnProto
import CapnProtoRPC
import RemoteSessionSchema

extension InteropProof {
  /// Calls that each need what the one before it returns; the last one is given back.
  typealias Chain =
    @Sendable (GatewayClient) async throws -> RemoteCall<SystemInfo.MotdResults.Reader, NoPipeline>

  /// Login, cap set, get and a first call without waiting for any answer in between.
  func provePipelining() async {
    await proveOneRoundTrip { [credentials] client in
      client.gateway.login { credentials.write(to: $0.initRequest()) }
        .pipeline.session.capSet()
        .pipeline.capSet.get {
          $0.name = "systemInfo"
          $0.interfaceId = SystemInfo._interface.id
        }
        .pipeline.cap.cast(to: SystemInfo.Client.self).motd()
    }
  }

  /// The whole chain is made before the first byte of it goes out, and nothing goes out after it
  /// until its last result is there: so no call can have waited for an answer to another one.
  func proveOneRoundTrip(_ chain: @escaping Chain) async {
    await step("login, cap set, get and call take one round trip") {
      let connection = try await open()
      connection.cork()
      let client = GatewayClient(connection, patience: patience)
      let motd = try await withDeadline(patience, "a call before the chain was sent") {
        try await chain(client)
      }
      let received = connection.statistics.messagesReceived
      connection.flush()
      let sent = connection.statistics.messagesSent
      let text = try await withDeadline(patience, "the chain") {
        let results = try await motd.results()
        return try results.reader.text.string
      }
      let answers = connection.statistics.messagesReceived
      connection.uncork()
      client.close()
      try expect(received == 0, "\(received) messages came in before the chain was sent")
      try expect(sent == 5, "the chain is \(sent) messages, not 5")
      try expect(!text.isEmpty, "the message is empty")
      return "\(sent) messages out at once (bootstrap, login, capSet, get, motd) after "
        + "\(received) in; \(answers) in with '\(text)' before another went out"
    }
  }

  /// A connection that the client cuts takes its proxies along.
  func proveDisconnect() async {
    await step("proxies of a connection that is cut fail closed") {
      let client = try await connect()
      let session = try await client.login(credentials)
      let system = try await session.get("systemInfo", as: SystemInfo.Client.self)
      try await system.motd().finished()
      client.close()
      let error = try await expectError(RPCError.self) { try await system.motd().finished() }
      try expect(error.kind == .disconnected, "got \(error)")
      let other = try await expectError(RPCError.self) { _ = try await session.info() }
      try expect(other.kind == .disconnected, "got \(other)")
      return "\(error)"
    }
  }

  /// An anonymous session gets less.
  func proveAnonymous() async {
    let session = await step("log in anonymously") {
      let client = try await connect()
      let session = try await client.login(.anonymous)
      let info = try await session.info()
      try expect(info.account.isEmpty && info.method == .anonymous, "got \(info)")
      return (session, "profile \(info.profile)")
    }
    guard let session else { return }
    await step("an anonymous session's cap set is narrower") {
      let names = try await session.list().map(\.name).sorted()
      try expect(names == ["session", "systemInfo"], "got \(names)")
      return names.joined(separator: ", ")
    }
    await step("chat is denied to it as if there were none") {
      let denial = try await expectError(CapabilityDenied.self) {
        _ = try await session.get("chat", as: Chat.Client.self)
      }
      try expect(denial.reason == .unknownName, "got \(denial)")
      return denial.description
    }
  }
}
