import NIOCore

/// Looks for what the peer sends next, for a while, so that the thread need not be woken for it.
///
/// NIO's event loops sleep when nothing is there; a thread that sleeps takes some 20 to 60 µs to be
/// woken, which is most of what a call takes on one machine.
struct BusyPolling: Sendable {
  private let window: TimeAmount
  private let socket: ChannelSocket

  /// Nil for a time of nothing, or if there is one processor, which the peer may need.
  init?(_ window: Duration?, _ socket: ChannelSocket?) {
    guard let window, window > .zero, let socket, System.coreCount > 1 else { return nil }
    self.window = TimeAmount(window)
    self.socket = socket
  }

  /// Reads what comes within the time, on the event loop; nil if nothing has come by then, or something is
  /// to be done, or the event loop has to see to the end of the stream.
  func read(unless isNeeded: () -> Bool) -> ByteBuffer? {
    let end = NIODeadline.now() + window
    var bytes = ByteBufferAllocator().buffer(capacity: Self.readBytes)
    repeat {
      if let count = socket.read(into: &bytes) { return count > 0 ? bytes : nil }
    } while !isNeeded() && NIODeadline.now() < end
    return nil
  }

  private static let readBytes = 16 << 10
}
