import CapTP

/// How a connection is made, with the object at its other end.
struct ConnectionAttempt: Sendable {
  let connect: @Sendable () async throws -> RPCConnection
  let object: @Sendable (RPCConnection) async throws -> Capability
  let policy: ReconnectPolicy
  let sleep: @Sendable (Duration) async throws -> Void

  /// A connection whose peer has given its object.
  ///
  /// The peer may be something that takes connections and then closes them, as a machine does that
  /// forwards a port to one that is not up: hence calls are let through only then.
  func run() async throws -> (RPCConnection, Capability) {
    guard let timeout = policy.attemptTimeout else { return try await open() }
    return try await withThrowingTaskGroup(of: (RPCConnection, Capability)?.self) { group in
      group.addTask { try await open() }
      group.addTask {
        try await sleep(timeout)
        return nil
      }
      let first = await group.nextResult()
      group.cancelAll()
      if case .success(let opened?)? = first { return opened }
      // It may have come about at the last moment.
      while let late = await group.nextResult() {
        if case .success(let opened?) = late { opened.0.close() }
      }
      if case .failure(let error)? = first { throw error }
      throw RPCError.disconnected("no connection and object within \(timeout)")
    }
  }

  private func open() async throws -> (RPCConnection, Capability) {
    let connection = try await connect()
    do {
      let object = try await object(connection)
      try await object.whenResolved()
      return (connection, object)
    } catch {
      connection.close()
      throw error
    }
  }
}
