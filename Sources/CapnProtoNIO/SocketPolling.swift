import CapTP
import NIOCore

/// Looks for what the peer sends next, for a while, so that the thread need not be woken for it: NIO's
/// event loops sleep when nothing is there.
struct SocketPolling: Sendable {
  enum Outcome {
    /// Bytes have come after so long.
    case bytes(ByteBuffer, after: TimeAmount)
    /// Nothing has come for so long, or until something was to be done.
    case nothing(after: TimeAmount)
    /// The event loop has to see to the end of the stream.
    case end
  }

  private let window: TimeAmount
  private let socket: ChannelSocket
  /// Whether it is done only while that pays.
  private let isAdaptive: Bool

  /// Nil for a time of nothing, or if there is one processor, which the peer may need.
  init?(_ mode: BusyPolling, _ socket: ChannelSocket?) {
    guard let socket else { return nil }
    self.socket = socket
    switch mode {
    case .adaptive:
      window = .microseconds(200)
      isAdaptive = true
    case .always(let time) where time > .zero:
      window = TimeAmount(time)
      isAdaptive = false
    case .always, .never: return nil
    }
    guard Self.isPeerElsewhere else { return nil }
  }

  /// Whether the peer may have a processor meanwhile. NIO reads files to find out.
  private static let isPeerElsewhere = System.coreCount > 1

  /// What may be spent in vain.
  var budget: PollingBudget { PollingBudget(factor: isAdaptive ? 32 : nil) }

  /// Whether nothing that should not wait does.
  func mayPoll(among crowd: LoopCrowd) -> Bool { !isAdaptive || crowd.isOne }

  /// Reads what comes within the time, on the event loop.
  ///
  /// - Parameters:
  ///   - start: the time now.
  ///   - isNeeded: whether something is to be done.
  /// - Returns: what has come of it.
  func read(from start: NIODeadline, unless isNeeded: () -> Bool) -> Outcome {
    var now = start
    var bytes = ByteBufferAllocator().buffer(capacity: Self.readBytes)
    while true {
      // A thread that was not run has spent nothing.
      let spent = min(now - start, window)
      if let count = socket.read(into: &bytes) {
        return count > 0 ? .bytes(bytes, after: spent) : .end
      }
      guard !isNeeded(), spent < window else { return .nothing(after: spent) }
      now = .now()
    }
  }

  private static let readBytes = 16 << 10
}
