package import CapnProto

/// Bounds on what a peer may make this side hold, for one connection.
public struct ConnectionLimits: Hashable, Sendable {
  /// Words of one message of the peer. A longer one ends the connection.
  public var messageWords = 8 << 20
  /// Words of one message to the peer: what the C++ implementation takes if nothing else is set there. The
  /// call that a longer one is for fails.
  public var sentMessageWords = 8 << 20
  /// Words that reading a message of the peer may follow pointers to, for each word that the message has.
  /// More are needed only where several pointers lead to one object, which no implementation sends; they
  /// are a `DecodingError` for who reads them. A short message may be read for 1,024 words.
  public var traversalFactor = 2
  /// Bytes that may wait for the peer to read them. More end the connection.
  public var unwrittenBytes = 256 << 20
  /// Calls of the peer that are not finished.
  public var answers = 4096
  /// Words of the peer's calls that were handed on and are not answered, but for those that went back
  /// to the peer. Later ones wait; once as much again waits, the peer is not read. Calls that wait for
  /// later ones of the same peer, or that vats pass round among them, must fit in.
  public var wordsInFlight = 32 << 20
  /// Calls to the peer that are not finished: no more than a peer of this library takes.
  public var questions = 4096
  /// Capabilities that the peer holds of this side.
  public var exports = 65_536
  /// Capabilities that this side holds of the peer.
  public var imports = 65_536
  /// Calls that wait for a promise or an embargo.
  public var queuedCalls = 4096
  /// Descriptors of the peer that this side holds open, over a Unix socket: what comes beyond is closed
  /// and its capability is without one. With none, which is so unless it is set, none are sent either.
  public var descriptors = 0

  /// How long a call to the peer may take that was not given a time of its own; nil for as long as it
  /// likes. Then it is taken back, and fails with an error that is a timeout. It is for calls on what is
  /// known to be the peer's when they are made, and not for those that are passed on for others.
  public var callTimeout: Duration?
  /// How long nothing may come from the peer; then the connection ends. Nil for as long as it likes: a
  /// peer that is idle and alive sends nothing unless it is asked (``pingAfter``), and one whose own
  /// limits are reached reads and answers nothing until its calls have ended.
  public var silence: Duration?
  /// How long until a peer from which nothing comes is asked for a sign of life, and asked again, over
  /// a socket. Each implementation of rpc.capnp gives one. Nil for never.
  public var pingAfter: Duration?
  /// Whether the connection's event loop looks for what the peer sends next before it sleeps.
  public var busyPolling = BusyPolling.adaptive
  /// What streams to the peer may have on their way, each.
  public var streams = StreamLimits()

  /// Limits that are safe towards peers that nobody vouches for.
  public init() {}

  /// What bounds the frames of messages.
  package var frameLimits: FrameLimits {
    var limits = FrameLimits.standard
    limits.words = messageWords
    return limits
  }
}

/// Bounds on what a stream (`-> stream` in a schema) may have on its way to its object.
public struct StreamLimits: Hashable, Sendable {
  /// Bytes of a stream that has just begun: what the C++ implementation's streams have for good.
  public var initialBytes = 64 << 10
  /// Bytes that the window grows to at most, where the path is long and fast enough to need it.
  public var maximumBytes = 4 << 20
  /// Calls, however short: an eighth of what a peer of this library takes of a connection.
  public var calls = 512

  /// Limits that suit most streams.
  public init() {}
}
