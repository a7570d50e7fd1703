// Safety. The entry that poll(2) reads and writes is a variable of this stack frame, and borrowed for
// the call, so passing its address is sound.

import NIOCore
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Looks for what the peer sends next, for a while, so that the thread need not be woken for it.
///
/// NIO's event loops sleep when nothing is there; a thread that sleeps takes some 20 to 60 µs to be
/// woken, which is most of what a call takes on one machine.
struct BusyPolling: Sendable {
  private let window: TimeAmount

  /// Nil for a time of nothing, or if there is one processor, which the peer may need.
  init?(_ window: Duration?) {
    guard let window, window > .zero, System.coreCount > 1 else { return nil }
    self.window = TimeAmount(window)
  }

  /// Returns when there is something to read, or to be done, or the time is over: on the event loop of
  /// the channel.
  func wait(for channel: any Channel, unless isNeeded: () -> Bool) {
    guard channel.isActive else { return }
    try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { handle in
      let end = NIODeadline.now() + window
      while !isNeeded(), !Self.isReadable(handle), NIODeadline.now() < end {}
    }
  }

  private static func isReadable(_ handle: NIOBSDSocket.Handle) -> Bool {
    var entry = pollfd(fd: handle, events: CShort(POLLIN), revents: 0)
    return unsafe poll(&entry, 1, 0) != 0
  }
}
