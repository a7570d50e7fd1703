// Safety. The system reads and writes only what it is given for the call: an entry of this stack frame,
// or bytes that are borrowed for the call, with their length. The descriptor is the channel's, which
// closes it on its event loop, where the channel says first that it is not active; so it is sound to
// use it there while the channel is.

import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The socket of a channel, for what channels do not offer. All of it is for the event loop of the
/// channel.
struct ChannelSocket: Sendable {
  private let channel: any Channel
  /// To find it costs as much as a call does.
  private let handle: NIOBSDSocket.Handle

  /// Nil if the channel has no socket, or this is not its event loop.
  init?(_ channel: any Channel) {
    guard channel.eventLoop.inEventLoop,
      let handle = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
        of: NIOBSDSocket.Handle.self, { $0 })
    else { return nil }
    self.channel = channel
    self.handle = handle
  }

  /// Reads what is there, as much as there is room for.
  ///
  /// - Returns: how many bytes were read; nil if there are none yet, and 0 if the stream has ended or
  ///   failed: the channel will find that it has ended.
  func read(into output: inout OutputRawSpan) -> Int? {
    guard channel.isActive else { return 0 }
    return unsafe output.withUnsafeMutableBytes { bytes, count in
      let free = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[count...])
      while true {
        let read = unsafe recv(handle, free.baseAddress, free.count, CInt(MSG_DONTWAIT))
        guard read < 0 else {
          count += read
          return read
        }
        switch errno {
        case EINTR: continue
        case EAGAIN, EWOULDBLOCK: return nil
        default: return 0
        }
      }
    }
  }

  /// Reads what is there into the buffer's free bytes, as ``read(into:)``.
  func read(into buffer: inout ByteBuffer) -> Int? {
    var count: Int?
    buffer.writeWithOutputRawSpan(minimumWritableBytes: 0) { count = read(into: &$0) }
    return count
  }

  /// Whether bytes may be sent past the channel: nothing that it was given waits for the socket.
  var isFree: Bool { channel.isActive && channel.isWritable }

  /// Sends as many of the bytes as the socket takes now.
  ///
  /// - Parameters:
  ///   - bytes: what is to be sent.
  ///   - more: whether more follows at once, which goes into the same packets.
  /// - Returns: how many were sent; 0 also if the socket has failed, which the channel will find.
  func write(_ bytes: RawSpan, more: Bool) -> Int {
    unsafe bytes.withUnsafeBytes { bytes in
      let sent = unsafe send(
        handle, bytes.baseAddress, bytes.count, more ? Self.flags | Self.moreFlag : Self.flags)
      return max(0, sent)
    }
  }

  #if canImport(Darwin)
    // NIO asks each socket for no signals.
    private static let flags = MSG_DONTWAIT
    private static let moreFlag: CInt = 0
  #else
    private static let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
    private static let moreFlag = CInt(MSG_MORE)
  #endif
}
