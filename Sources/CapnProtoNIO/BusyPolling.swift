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
  private let channel: any Channel
  /// The channel's, as long as that is active. To find it costs as much as a call.
  private let handle: NIOBSDSocket.Handle

  /// Made on the event loop of the channel; nil for a time of nothing, if the channel has no socket, or
  /// if there is one processor, which the peer may need.
  init?(_ window: Duration?, _ channel: any Channel) {
    guard let window, window > .zero, System.coreCount > 1, channel.eventLoop.inEventLoop,
      let handle = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
        of: NIOBSDSocket.Handle.self, { $0 })
    else { return nil }
    self.window = TimeAmount(window)
    self.channel = channel
    self.handle = handle
  }

  /// Returns when there is something to read, or to be done, or the time is over: on the event loop.
  func wait(unless isNeeded: () -> Bool) {
    guard channel.isActive else { return }
    let end = NIODeadline.now() + window
    while !isNeeded(), !isReadable, NIODeadline.now() < end {}
  }

  private var isReadable: Bool {
    var entry = pollfd(fd: handle, events: CShort(POLLIN), revents: 0)
    return unsafe poll(&entry, 1, 0) != 0
  }
}
