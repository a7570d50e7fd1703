import CapnProtoRPC

extension RPCListener {
  /// Stops listening, and ends each connection once no call of its peer is in progress, or the time is
  /// over: the peer is told the reason in an `Abort`, and its calls that are still in progress fail.
  ///
  /// Until then a peer may make calls. If the task is cancelled the time is over at once. It returns
  /// when the peers have been told; one that does not read is not waited for.
  ///
  /// - Parameters:
  ///   - gracePeriod: how long calls may go on.
  ///   - reason: what the peers are told.
  public func shutDown(
    gracePeriod: Duration, reason: String = "the server is shutting down"
  ) async {
    await stopListening()
    let clock = ContinuousClock()
    let end = clock.now + gracePeriod.bounded
    var isOver = false
    while true {
      // How often a connection is looked at bounds how late it ends, and asks nothing of calls.
      let connections = openConnections
      isOver = isOver || clock.now >= end
      for connection in connections where isOver || !connection.isServing {
        connection.abort(reason)
      }
      guard !isOver, !connections.isEmpty else { break }
      do { try await Task.sleep(for: .milliseconds(5)) } catch { isOver = true }
    }
    // A socket is closed by its peer, or after a while by this side. Also if the task is cancelled.
    await Task {
      let end = clock.now + .seconds(6)
      while !openConnections.isEmpty, clock.now < end {
        try? await Task.sleep(for: .milliseconds(5))
      }
    }.value
  }
}

extension RPCConnection {
  /// Whether a call of the peer has not been answered.
  fileprivate var isServing: Bool {
    let statistics = statistics
    return statistics.wordsInFlight > 0 || statistics.wordsHeld > 0
  }
}
