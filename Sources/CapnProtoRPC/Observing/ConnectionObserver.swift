public import CapTP

/// Is told what happens on connections: the one way in which traces, metrics and other onlookers
/// learn of it.
///
/// Each method but ``serve(_:_:)`` is called at once, in order for each connection and from any
/// thread, while the connection waits: it must be quick, and must not call the connection nor
/// anything that may.
public protocol ConnectionObserver: Sendable {
  /// The connection was made.
  func connectionOpened(_ connection: ConnectionNumber)
  /// A message went out or came in.
  func messagePassed(_ event: MessageEvent)
  /// What is to travel with a call that is about to go out, after ``messagePassed(_:)``: for the
  /// observers of a peer that is of this library too; others do not see it. Up to 4096 bytes, and
  /// nothing if it is empty.
  func baggage(of event: MessageEvent) -> [UInt8]
  /// The connection is over.
  func connectionClosed(_ connection: ConnectionNumber, reason: RPCError)
  /// A call of the peer is to be handed to its object: the body does that, and must be called. Here
  /// the connection does not wait, and what is local to the task is so to the call's handler, unless
  /// the call has to wait for its turn or for a promise.
  func serve(_ call: ServedCall, _ body: () -> Void)
}

extension ConnectionObserver {
  /// Does nothing.
  public func connectionOpened(_ connection: ConnectionNumber) {}
  /// Does nothing.
  public func connectionClosed(_ connection: ConnectionNumber, reason: RPCError) {}
  /// Nothing.
  public func baggage(of event: MessageEvent) -> [UInt8] { [] }
  /// Calls the body.
  public func serve(_ call: ServedCall, _ body: () -> Void) { body() }
}

/// Counts the connections of this process that have observers, from 1: it tells them apart.
public typealias ConnectionNumber = UInt64

/// A message that went over a connection.
public struct MessageEvent: Hashable, Sendable {
  /// Which way a message went.
  public enum Direction: String, Hashable, Sendable {
    case sent, received
  }

  /// The connection.
  public var connection: ConnectionNumber
  /// When it was handed to the transport, or came from it.
  public var time: ContinuousClock.Instant
  /// Which way it went.
  public var direction: Direction
  /// Its length with the frame's head, in bytes.
  public var bytes: Int
  /// What it is about.
  public var message: MessageSummary
  /// What the peer's observers sent along with a call; nil if nothing came. A peer says what it likes.
  public var baggage: [UInt8]?

  /// A message that went over the connection.
  public init(
    connection: ConnectionNumber, time: ContinuousClock.Instant, direction: Direction, bytes: Int,
    message: MessageSummary, baggage: [UInt8]? = nil
  ) {
    self.connection = connection
    self.time = time
    self.direction = direction
    self.bytes = bytes
    self.message = message
    self.baggage = baggage
  }
}
