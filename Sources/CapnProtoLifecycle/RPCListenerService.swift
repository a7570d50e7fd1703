public import CapnProtoNIO
public import ServiceLifecycle

/// A listener as a service of a `ServiceGroup`: it runs until the group shuts down gracefully.
public struct RPCListenerService: Service {
  private let gracePeriod: Duration
  private let listen: @Sendable () async throws -> RPCListener

  /// A service that does not listen yet.
  ///
  /// - Parameters:
  ///   - gracePeriod: how long calls that are in progress may go on at a graceful shutdown.
  ///   - listen: makes the listener, once the service runs: mostly `RPCListener.listen`.
  public init(
    gracePeriod: Duration = .seconds(10), listen: @escaping @Sendable () async throws -> RPCListener
  ) {
    self.gracePeriod = gracePeriod
    self.listen = listen
  }

  /// Listens until the group shuts down, then as `RPCListener.shutDown(gracePeriod:reason:)`; if the
  /// group does not wait for so long, the calls that are still in progress fail then.
  ///
  /// - Throws: `RPCError` if it cannot listen; `CancellationError` if the task is cancelled before the
  ///   shutdown begins, after closing the listener.
  public func run() async throws {
    let listener = try await listen()
    do {
      try await gracefulShutdown()
    } catch {
      await listener.close()
      throw error
    }
    await listener.shutDown(gracePeriod: gracePeriod)
  }
}
