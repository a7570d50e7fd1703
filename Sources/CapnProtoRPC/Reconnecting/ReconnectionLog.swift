import CapTP
import Logging

/// Tells a log how a client is doing that reconnects.
enum ReconnectionLog {
  /// Tells the log each state, until the client is closed or nobody holds it any more. It does not keep
  /// the client, nor runs a logger's code under the client's lock.
  static func follow(_ states: AsyncStream<ReconnectingClient.State>, _ logger: Logger) {
    Task.detached {
      for await state in states { note(state, logger) }
    }
  }

  private static func note(_ state: ReconnectingClient.State, _ logger: Logger) {
    switch state {
    case .idle: break
    case .connecting(let attempt):
      logger.debug("connecting", metadata: ["attempt": "\(attempt)"])
    case .connected: logger.debug("connected")
    case .waiting(let attempt, let error, let delay):
      var metadata = words(error)
      metadata["delay"] = "\(delay)"
      if attempt > 0 { metadata["attempt"] = "\(attempt)" }
      logger.info(attempt > 0 ? "cannot connect" : "connection lost", metadata: metadata)
    case .closed(let error): logger.info("no more connections are made", metadata: words(error))
    }
  }

  private static func words(_ error: RPCError) -> Logger.Metadata {
    // The peer may have chosen the words.
    ["reason": "\(MessageSummary.printable(error.reason.utf8))", "kind": "\(error.kind)"]
  }
}
