import CapnProto
import CapnProtoRPC
import RemoteSessionSchema

extension InteropProof {
  /// One session from the connection to its logout.
  func proveLogin() async {
    let client = await step("connect") { (try await connect(), "") }
    guard let client else { return }
    await proveGateway(client)
    let session = await step("log in as \(account)") {
      (try await client.login(credentials), "")
    }
    guard let session else { return }
    await step("session info") {
      let info = try await session.info()
      try expect(info.account == account && info.method == .password, "got \(info)")
      return "account \(info.account), profile \(info.profile), expires in "
        + (info.expiresIn.map { "\($0.components.seconds) s" } ?? "never")
    }
    await step("list the cap set") {
      let names = try await session.list().map(\.name).sorted()
      try expect(names == ["chat", "session", "systemInfo"], "got \(names)")
      return names.joined(separator: ", ")
    }
    let system = await step("get systemInfo, typed") {
      (try await session.get("systemInfo", as: SystemInfo.Client.self), "")
    }
    let user = await step("get session, typed") {
      (try await session.get("session", as: UserSession.Client.self), "")
    }
    let chat = await step("get chat, typed") {
      (try await session.get("chat", as: Chat.Client.self), "")
    }
    guard let system, let user, let chat else { return }
    await proveCalls(session, system, user)
    await proveDenials(session, system, chat)
    await proveLogout(client, session, system, user)
  }

  private func proveGateway(_ client: GatewayClient) async {
    await step("describe the gateway") {
      let summary = try await client.describe()
      try expect(summary.protocolVersion == protocolVersion, "got \(summary)")
      return "\(summary.software), contract version \(summary.protocolVersion)"
    }
    await step("list the auth methods") {
      let methods = try await client.authMethods()
      let enabled = methods.filter { $0.whyDisabled == nil }.map { "\($0.kind)" }
      let disabled = methods.filter { $0.whyDisabled != nil }
      try expect(Set(enabled).isSuperset(of: ["password", "anonymous"]), "enabled: \(enabled)")
      try expect(
        disabled.contains { $0.kind == .publicKey } && disabled.contains { $0.kind == .passkey }
          && disabled.allSatisfy { $0.whyDisabled != "" },
        "disabled: \(disabled)")
      return "enabled: \(enabled.joined(separator: ", ")); disabled with a reason: "
        + disabled.map { "\($0.kind)" }.joined(separator: ", ")
    }
    await step("a disabled method is denied") {
      let results = try await client.gateway.begin { $0.kind = .publicKey }.results()
      try expect(results.reader.hasDenial, "there is no denial")
      let denial = try LoginDenied(results.reader.denial)
      try expect(denial.reason == .methodDisabled, "got \(denial)")
      return denial.description
    }
    await step("a wrong password is denied") {
      let denial = try await expectError(LoginDenied.self) {
        _ = try await client.login(.password(account: account, password: password + "!"))
      }
      try expect(denial.reason == .badCredentials, "got \(denial)")
      return denial.description
    }
  }

  private func proveCalls(
    _ session: SessionClient, _ system: SystemInfo.Client, _ user: UserSession.Client
  ) async {
    await step("call systemInfo.motd") {
      let results = try await system.motd().results()
      let text = try results.reader.text.string
      try expect(!text.isEmpty, "the message is empty")
      return "'\(text)'"
    }
    await step("call session.info: the guest knows the caller by the session") {
      let results = try await user.info().results()
      let known = try results.reader.info.account.string
      try expect(known == account, "got '\(known)'")
      return "account \(known)"
    }
  }

  private func proveDenials(
    _ session: SessionClient, _ system: SystemInfo.Client, _ chat: Chat.Client
  ) async {
    await step("an unknown name is denied") {
      let denial = try await expectError(CapabilityDenied.self) {
        _ = try await session.get("rootShell", as: SystemInfo.Client.self)
      }
      try expect(denial.reason == .unknownName, "got \(denial)")
      return denial.description
    }
    await step("a wrong interface is denied, and both are named") {
      let denial = try await expectError(CapabilityDenied.self) {
        _ = try await session.get("systemInfo", as: Chat.Client.self)
      }
      try expect(
        denial.reason == .wrongInterface && denial.text.contains(SystemInfo._interface.name)
          && denial.text.contains(Chat._interface.name),
        "got \(denial)")
      return denial.description
    }
    await step("a denial of the chat is a result, not an exception") {
      let room = chat.join { $0.room = "denials" }.pipeline.room
      let results = try await room.send { $0.text = "" }.results()
      try expect(results.reader.hasDenial, "there is no denial")
      let denial = try ChatDenied(results.reader.denial)
      try expect(denial.reason == .emptyText, "got \(denial)")
      return denial.description
    }
    await step("a method that the guest does not know is diagnosed") {
      let error = try await expectError(RPCError.self) {
        try await raw(Capability(system), SystemInfo._interface, 99)
      }
      try expect(
        error.kind == .unimplemented && error.reason.contains("no method @99")
          && error.reason.contains(SystemInfo._interface.name),
        "got \(error)")
      return "\(error)"
    }
    await step("a call on a wrong interface is diagnosed") {
      let error = try await expectError(RPCError.self) {
        try await raw(Capability(system), Chat._interface, 0)
      }
      try expect(
        error.kind == .unimplemented && error.reason.contains(SystemInfo._interface.name)
          && error.reason.contains(String(Chat._interface.id, radix: 16)),
        "got \(error)")
      return "\(error)"
    }
  }

  /// A call that no typed client would make.
  private func raw(
    _ capability: Capability, _ interface: InterfaceDescription, _ method: UInt16
  ) async throws {
    let call: RemoteCall<SystemInfo.MotdResults.Reader, NoPipeline> = capability.call(
      interface, method: method, { (_: SystemInfo.MotdParams.Builder) in })
    try await call.finished()
  }

  private func proveLogout(
    _ client: GatewayClient, _ session: SessionClient, _ system: SystemInfo.Client,
    _ user: UserSession.Client
  ) async {
    await step("log out") {
      try await session.logout()
      return ""
    }
    await step("proxies held from before fail closed") {
      let attempts: [(String, () async throws -> Void)] = [
        ("systemInfo", { try await system.motd().finished() }),
        ("session", { try await user.info().finished() }),
        ("the cap set", { _ = try await session.list() }),
        ("the remote session", { _ = try await session.info() }),
      ]
      var seen = ""
      for (name, attempt) in attempts {
        let error = try await expectError(RPCError.self, attempt)
        try expect(error.kind == .disconnected, "\(name): \(error)")
        seen = "\(error)"
      }
      return seen
    }
    await step("the connection itself outlives the session") {
      _ = try await client.describe()
      return ""
    }
  }
}
