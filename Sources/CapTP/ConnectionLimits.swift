/// Bounds on what a peer may make this side hold, for one connection.
public struct ConnectionLimits: Hashable, Sendable {
  /// Calls of the peer that are not finished.
  public var answers = 4096
  /// Calls to the peer that are not finished.
  public var questions = 65_536
  /// Capabilities that the peer holds of this side.
  public var exports = 65_536
  /// Capabilities that this side holds of the peer.
  public var imports = 65_536
  /// Calls that wait for a promise or an embargo.
  public var queuedCalls = 4096

  /// Limits that are safe towards peers that nobody vouches for.
  public init() {}
}
