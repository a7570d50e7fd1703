import CapnProtoRPC
import NIOCore
import NIOPosix

/// Takes the socket of a channel when it is connected, and closes the channel, which has read nothing.
final class SocketHandover: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let taken: EventLoopPromise<UnixSocket>

  init(_ taken: EventLoopPromise<UnixSocket>) { self.taken = taken }

  func channelActive(context: ChannelHandlerContext) {
    taken.completeWith(Result { try UnixSocket(takenFrom: context.channel) })
    context.close(promise: nil)
  }

  func handlerRemoved(context: ChannelHandlerContext) { taken.fail(ChannelError.eof) }
}

extension UnixSocket {
  /// The socket of a channel, which is to be closed: on its event loop.
  init(takenFrom channel: any Channel) throws {
    let descriptor = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { (handle) throws -> OpenDescriptor in
      // The channel closes its own.
      try OpenDescriptor(duplicating: handle)
    }
    guard let descriptor else { throw ChannelError.operationUnsupported }
    try self.init(descriptor)
  }
}

extension ClientBootstrap {
  /// Connects to the path.
  ///
  /// - Returns: the socket, from which nothing has been read.
  func takenOver(_ path: String) async throws -> UnixSocket {
    let opening = try await connect(unixDomainSocketPath: path) { channel in
      channel.eventLoop.makeCompletedFuture {
        let taken = channel.eventLoop.makePromise(of: UnixSocket.self)
        try channel.syncOptions?.setOption(.autoRead, value: false)
        try channel.pipeline.syncOperations.addHandler(SocketHandover(taken))
        return taken.futureResult
      }
    }
    return try await opening.get()
  }
}
