import Synchronization

/// A record of the messages that go over connections, to be read as they come:
///
///     let trace = RPCTrace()
///     let connection = try await RPCConnector.connect(to: address, observers: [trace])
///     Task {
///       var text = TraceText(names: InterfaceNames(Chat.Client.self))
///       for await record in trace.records { print(text.line(for: record)) }
///     }
///
/// A record says what a message is about, never what it carries. The connections never wait for the
/// reader: once ``init(limit:showsReasons:)``'s limit of records waits, later ones are left out, and
/// the next one that is not says how many.
public final class RPCTrace: ConnectionObserver {
  /// The records, in order for each connection; for one reader. They end with ``finish()``.
  public let records: AsyncStream<TraceRecord>
  private let continuation: AsyncStream<TraceRecord>.Continuation
  private let start = ContinuousClock.now
  private let showsReasons: Bool
  private let dropped = Mutex(0)

  /// A trace that begins now.
  ///
  /// - Parameters:
  ///   - limit: how many records may wait for the reader.
  ///   - showsReasons: whether the words of errors are recorded, which may hold what is secret.
  public init(limit: Int = 16_384, showsReasons: Bool = false) {
    self.showsReasons = showsReasons
    (records, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(limit))
  }

  /// Ends the trace: the reader gets what waits, and then the end.
  public func finish() { continuation.finish() }

  /// Records that the connection is over, as a message of no bytes.
  public func connectionClosed(_ connection: ConnectionNumber, reason: RPCError) {
    var end = MessageSummary(.closed)
    end.failure = reason.kind
    end.reason = MessageSummary.printable(reason.reason.utf8)
    messagePassed(
      MessageEvent(
        connection: connection, time: .now, direction: .sent, bytes: 0, message: end))
  }

  /// Records the message.
  public func messagePassed(_ event: MessageEvent) {
    // Under the lock, so that the count stands where the records are missing.
    dropped.withLock { dropped in
      var record = TraceRecord(event, since: start)
      if !showsReasons { record.message.reason = nil }
      record.dropped = dropped
      switch continuation.yield(record) {
      case .dropped: dropped += 1
      default: dropped = 0
      }
    }
  }
}
