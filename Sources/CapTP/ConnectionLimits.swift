/// Bounds on what a peer may make this side hold, for one connection.
public struct ConnectionLimits: Hashable, Sendable {
  /// Words of one message of the peer. A longer one ends the connection.
  public var messageWords = 8 << 20
  /// Bytes that may wait for the peer to read them. More end the connection.
  public var unwrittenBytes = 256 << 20
  /// Calls of the peer that are not finished.
  public var answers = 4096
  /// Words of the peer's calls that were handed on and are not answered. Later ones wait; once as
  /// much again waits, the peer is not read.
  public var wordsInFlight = 32 << 20
  /// Calls to the peer that are not finished: no more than a peer of this library takes.
  public var questions = 4096
  /// Capabilities that the peer holds of this side.
  public var exports = 65_536
  /// Capabilities that this side holds of the peer.
  public var imports = 65_536
  /// Calls that wait for a promise or an embargo.
  public var queuedCalls = 4096

  /// Limits that are safe towards peers that nobody vouches for.
  public init() {}
}
