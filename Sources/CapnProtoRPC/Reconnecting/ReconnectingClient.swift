public import CapTP
public import Logging

/// A client of an object behind a connection that is made when it is needed, and made again after it
/// was lost.
///
/// Calls keep their order on one connection, and while they wait for one. One that may have reached the
/// peer is never made again: calls that are in flight when the connection breaks fail with
/// `disconnected`, and it is for their callers to know whether they may be repeated. Later calls wait for
/// the next connection, and across that there is no order: a call that has failed may still be waiting at
/// the peer, and run after a later one.
///
/// Objects that came over a connection break with it, and are not made anew. Close the client when it is
/// not needed any more. One that is let go of without lets its calls end, and closes its connection once
/// neither side holds anything of the other.
public final class ReconnectingClient: Sendable {
  /// How the client is doing.
  public enum State: Hashable, Sendable {
    /// There is no connection, and no call that needs one.
    case idle
    /// A connection is being made: the attempt, counted from 1 after each success.
    case connecting(attempt: Int)
    /// The attempt failed, and another one is made after the delay; attempt 0 is a connection that was
    /// lost.
    case waiting(attempt: Int, error: RPCError, delay: Duration)
    /// The peer has given its object.
    case connected
    /// No more attempts are made: each call fails with the error.
    case closed(RPCError)
  }

  private let reconnection: Reconnection

  /// A client without a connection yet.
  ///
  /// - Parameters:
  ///   - policy: when a connection is made again.
  ///   - logger: is told how the client is doing: losses and attempts that fail at level `info`.
  ///   - sleep: waits; the policy's delays and its time for an attempt are measured with it. `nil` for
  ///     the continuous clock.
  ///   - connect: makes a connection, which this client closes: mostly with `RPCConnector`.
  ///   - object: what calls are for; it may log in, say. Without, it is the peer's bootstrap
  ///     capability.
  public init(
    policy: ReconnectPolicy = ReconnectPolicy(), logger: Logger = Logger(label: "capnp.rpc"),
    sleep: (@Sendable (Duration) async throws -> Void)? = nil,
    connect: @escaping @Sendable () async throws -> RPCConnection,
    object: @escaping @Sendable (RPCConnection) async throws -> Capability = {
      $0.bootstrapCapability()
    }
  ) {
    reconnection = Reconnection(
      policy,
      ConnectionAttempt(
        connect: connect, object: object, policy: policy,
        sleep: sleep ?? { try await CallTimers.shared.sleep(for: $0) }))
    ReconnectionLog.follow(reconnection.states(), logger)
  }

  /// The object, as a reference of its own: what it streams is a stream of its own, which ends with the
  /// connection that it began on. It breaks when the client is closed, and when the policy gives up.
  public var capability: Capability { Capability(ReconnectingCapability(reconnection)) }

  /// The object under an interface's typed client, as ``capability``.
  public func client<Client: CapabilityClient>(as: Client.Type = Client.self) -> Client {
    capability.cast()
  }

  /// How the client is doing.
  public var state: State { reconnection.current }

  /// How the client is doing, from now until it is closed. A reader that is slow misses what is
  /// older than the last few.
  public var states: AsyncStream<State> { reconnection.states() }

  /// Closes the connection, and makes no other: each call fails with `disconnected`, waiting or later.
  public func close() { reconnection.end(.disconnected("the client was closed")) }
}
