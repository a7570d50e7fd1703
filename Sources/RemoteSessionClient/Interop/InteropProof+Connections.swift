import CapnProto
import CapnProtoRPC
import RemoteSessionSchema

extension InteropProof {
  /// Login, cap set, get and a first call without waiting for any answer in between.
  func provePipelining() async {
    await step("login, cap set, get and call take one round trip") {
      let client = try await connect()
      let login = client.gateway.login { credentials.write(to: $0.initRequest()) }
      let capSet = login.pipeline.session.capSet()
      let get = capSet.pipeline.capSet.get {
        $0.name = "systemInfo"
        $0.interfaceId = SystemInfo._interface.id
      }
      let motd = get.pipeline.cap.cast(to: SystemInfo.Client.self).motd()
      let atSending = client.connection.messageCounts
      let results = try await motd.results()
      let text = try results.reader.text.string
      try expect(atSending.sent == 5, "\(atSending.sent) messages went out at once, not 5")
      // Nothing was waited for. The bootstrap's answer may be quick; the login's takes its time.
      try expect(
        atSending.received <= 1, "\(atSending.received) messages came in before the last call")
      try expect(!text.isEmpty, "the message is empty")
      client.close()
      return "\(atSending.sent) messages out (bootstrap, login, capSet, get, motd) with "
        + "\(atSending.received) in, then one wait for '\(text)'"
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
