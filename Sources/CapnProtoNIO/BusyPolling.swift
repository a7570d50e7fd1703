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

  /// Returns when there is something to read, or to be done, or the time is over: on the event loop.
  func wait(unless isNeeded: () -> Bool) {
    let end = NIODeadline.now() + window
    while !isNeeded(), !socket.isReadable, NIODeadline.now() < end {}
  }
}
