/// What a connection holds now, and what has happened on it since it was made.
public struct ConnectionStatistics: Hashable, Sendable {
  /// Entries in the tables.
  public var tables = TableSizes()
  /// Calls to the peer since the connection was made.
  public var callsSent = 0
  /// Calls of the peer since the connection was made.
  public var callsReceived = 0
  /// Messages that went out since the connection was made.
  public var messagesSent = 0
  /// Messages that came in since the connection was made.
  public var messagesReceived = 0
  /// Words of the peer's calls that were handed on and are not answered.
  public var wordsInFlight = 0
  /// Words of the peer's calls that wait for those.
  public var wordsHeld = 0
  /// Calls that wait for a promise or an embargo.
  public var queuedCalls = 0
  /// How often each limit was reached, by the peer or by this side; those that were not are left out.
  public var limitsReached: [ConnectionLimit: Int] = [:]

  /// Statistics of a connection on which nothing has happened.
  public init() {}
}

/// A limit of a connection (``ConnectionLimits``), by name.
public enum ConnectionLimit: String, Hashable, Sendable, CaseIterable {
  /// A message of the peer was too long: the connection was aborted.
  case messageWords
  /// A call or its results would have needed too long a message to the peer: the call failed.
  case sentMessageWords
  /// The peer did not read: the connection was ended.
  case unwrittenBytes
  /// The peer made too many calls: the connection was aborted.
  case answers
  /// A call of the peer waits until others have ended.
  case wordsInFlight
  /// A call of this side failed as `overloaded`.
  case questions
  /// The peer held too many capabilities: the connection was aborted.
  case exports
  /// The peer gave too many capabilities: the connection was aborted.
  case imports
  /// A call that was to wait failed as `overloaded`.
  case queuedCalls
  /// Descriptors that the peer sent were closed.
  case descriptors
  /// A call of this side took longer than it might.
  case callTimeout
  /// Nothing came from the peer: the connection was ended.
  case silence
}

extension Connection {
  /// What the connection holds and has done; the messages are counted by who moves them.
  public var statistics: ConnectionStatistics {
    var statistics = ConnectionStatistics()
    statistics.tables = tableSizes
    statistics.callsSent = callsSent
    statistics.callsReceived = callsReceived
    statistics.wordsInFlight = wordsInFlight
    statistics.wordsHeld = wordsHeld
    statistics.queuedCalls = queuedCalls
    statistics.limitsReached = limitsReached
    return statistics
  }

  /// Notes that a limit was reached: also one that the runtime or a transport keeps.
  public mutating func note(_ limit: ConnectionLimit) { limitsReached[limit, default: 0] += 1 }
}
