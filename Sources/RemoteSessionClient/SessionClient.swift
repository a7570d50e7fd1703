import CapnProto
public import CapnProtoRPC
public import RemoteSessionSchema

/// A session on a guest. Everything got through it dies with it.
public final class SessionClient: Sendable {
  /// The session.
  public let session: RemoteSession.Client
  /// What it was granted, by name.
  public let capSet: RemoteCapSet.Client
  /// Keeps the connection.
  private let gateway: GatewayClient
  /// How long one call may take.
  var patience: Duration { gateway.patience }

  init(_ session: RemoteSession.Client, on gateway: GatewayClient) {
    self.session = session
    self.gateway = gateway
    capSet = session.capSet().pipeline.capSet
  }

  /// What the session is.
  public func info() async throws -> SessionSummary {
    let call = session.info()
    return try await withDeadline(patience, "info") {
      let results = try await call.results()
      return try SessionSummary(results.reader.info)
    }
  }

  /// What the session was granted.
  public func list() async throws -> [GrantedCapability] {
    let call = capSet.list()
    return try await withDeadline(patience, "list") {
      let results = try await call.results()
      return try results.reader.entries.map { try GrantedCapability($0) }
    }
  }

  /// The capability of the name, with the client's interface.
  ///
  /// - Throws: ``CapabilityDenied`` if the guest says no, `RPCError` if it does not answer.
  public func get<Client: CapabilityClient>(
    _ name: String, as: Client.Type = Client.self
  ) async throws -> Client {
    let call = capSet.get {
      $0.name = name
      $0.interfaceId = Client._interface.id
    }
    return try await withDeadline(patience, "get") {
      let results = try await call.results()
      if results.reader.hasDenial { throw try CapabilityDenied(results.reader.denial) }
      guard let capability = try results.reader.cap else {
        throw RPCError.failed("the guest answered 'get' with neither capability nor denial")
      }
      return capability.cast()
    }
  }

  /// The capability of the name, to be called at once: a denial shows at the first call.
  public func pipelined<Client: CapabilityClient>(
    _ name: String, as: Client.Type = Client.self
  ) -> Client {
    capSet.get {
      $0.name = name
      $0.interfaceId = Client._interface.id
    }.pipeline.cap.cast()
  }

  /// Joins a room of the session's chat.
  ///
  /// - Throws: ``CapabilityDenied``, ``ChatDenied`` or `RPCError`.
  public func join(_ room: String) async throws -> ChatRoom.Client {
    let chat = try await get("chat", as: Chat.Client.self)
    let call = chat.join { $0.room = room }
    return try await withDeadline(patience, "join") {
      let results = try await call.results()
      if results.reader.hasDenial { throw try ChatDenied(results.reader.denial) }
      guard let room = try results.reader.room else {
        throw RPCError.failed("the guest answered 'join' with neither room nor denial")
      }
      return room
    }
  }

  /// Ends the session.
  public func logout() async throws {
    let call = session.logout()
    try await withDeadline(patience, "logout") { try await call.finished() }
  }
}

extension ChatRoom.Client {
  /// Says a line.
  ///
  /// - Throws: ``ChatDenied`` or `RPCError`.
  public func say(_ text: String) async throws {
    let results = try await send { $0.text = text }.results()
    if results.reader.hasDenial { throw try ChatDenied(results.reader.denial) }
  }
}
