import CapTP
import CapnProto
import CapnProtoRPC
import NIOCore

/// Looks at the first bytes of a peer, which may speak something else, and then leaves the pipeline.
final class FirstBytesHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum State {
    /// Too few bytes have come.
    case looking(ByteBuffer)
    /// The peer speaks what it should.
    case passing
    /// The peer speaks something else: nothing more of it is read.
    case refusing
  }
  private var state = State.looking(ByteBuffer())
  private let expected: PeerLanguage
  private let isIncoming: Bool
  private let refuse: (ForeignPeer) -> Void

  /// - Parameters:
  ///   - expected: what the peer should speak.
  ///   - isIncoming: whether the peer has connected to this side. It is then told what is wrong, in a
  ///     way that it understands.
  ///   - refuse: ends the connection of a peer that speaks something else.
  init(
    expected: PeerLanguage, isIncoming: Bool, refuse: @escaping (ForeignPeer) -> Void
  ) {
    self.expected = expected
    self.isIncoming = isIncoming
    self.refuse = refuse
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch state {
    case .passing: context.fireChannelRead(data)
    case .refusing: break
    case .looking(var head):
      head.writeImmutableBuffer(unwrapInboundIn(data))
      guard let language = PeerLanguage(firstBytes: head.readableBytesView) else {
        state = .looking(head)
        return
      }
      guard
        var foreign = ForeignPeer(language, expected: expected, isIncoming: isIncoming)
      else {
        state = .passing
        context.fireChannelRead(wrapInboundOut(head))
        // Last: what has left the pipeline passes nothing on.
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        return
      }
      state = .refusing
      if isIncoming, let reply = Self.reply(to: foreign) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply)), promise: nil)
      }
      foreign.abort = Self.abort(in: head)
      refuse(foreign)
    }
  }

  /// The stream ends before it is clear what it is: whoever reads it knows best what is missing.
  func channelInactive(context: ChannelHandlerContext) {
    if case .looking(let head) = state, head.readableBytes > 0 {
      context.fireChannelRead(wrapInboundOut(head))
    }
    context.fireChannelInactive()
  }

  private static func reply(to foreign: ForeignPeer) -> [UInt8]? {
    switch foreign.language {
    case .http:
      let text = foreign.reply + "\n"
      return Array(
        """
        HTTP/1.1 400 Bad Request\r
        Content-Type: text/plain; charset=utf-8\r
        Content-Length: \(text.utf8.count)\r
        Connection: close\r
        \r
        \(text)
        """.utf8)
    // A client of TLS that is one of this library reads it; for others it is no record of TLS.
    case .messages, .tls: return abort(foreign.reply)
    case .text, .unknown: return nil
    }
  }

  private static func abort(_ reason: String) -> [UInt8] {
    let message = MessageBuilder(firstSegmentWords: 32)
    message.build(CapTP.Message.Builder.self) { message in
      let exception = message.initAbort()
      exception.reason = reason
      // The next attempt would be told the same.
      exception.type = .unimplemented
    }
    return message.flattened()
  }

  /// What a peer says that speaks Cap'n Proto where something else is spoken: why it refuses that.
  private static func abort(in head: ByteBuffer) -> RPCError? {
    guard let message = try? MessageReader(flat: Array(head.readableBytesView)),
      let root = try? message.root(as: CapTP.Message.Reader.self),
      case .abort(let exception)? = try? root.which, let error = try? RPCError(exception)
    else { return nil }
    return RPCError(error.kind, MessageSummary.printable(error.reason.utf8))
  }
}
