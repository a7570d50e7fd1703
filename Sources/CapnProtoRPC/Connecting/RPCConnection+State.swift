import CapTP
import CapnProto

extension RPCConnection {
  /// What the connection's lock guards.
  struct State: ~Copyable {
    var engine: Connection
    var isDraining = false
    var isReading = true
    var closeWaiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var lastCloseWaiter: UInt64 = 0
    var failure: RPCError?
    /// Messages that are kept back while the connection is corked; nil while it is not.
    var corked: [Outgoing]?
    /// What was kept back when the connection failed, until it is let go of at its end.
    var lastCorked: [Outgoing]?
    var messagesSent = 0
    /// Whether the transport has taken so much that it should write some.
    var mustWrite = false
    var messagesReceived = 0
    /// Handlers of the peer's calls, to be cancelled when the peer does not want them any more.
    var handlers: [AnswerToken: CallRoute] = [:]

    mutating func takeHandler(of answer: AnswerToken) -> CallRoute? {
      // Handlers that answer at once are never noted, and then nothing is looked up.
      handlers.isEmpty ? nil : handlers.removeValue(forKey: answer)
    }
  }
  /// A message that goes out, and what goes along with it.
  struct Outgoing {
    let message: SharedMessage
    let descriptors: [any AttachedDescriptor]
  }
  /// What is to be done once the lock is given up.
  struct Due {
    /// Work off the engine's effects, which nobody does yet.
    var drain = false
    /// Let the transport write what it was given.
    var write: Bool
  }
}
