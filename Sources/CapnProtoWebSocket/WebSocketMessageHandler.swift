import CapTP
import CapnProtoRPC
import NIOCore
import NIOWebSocket

/// Carries each message in a binary frame of its own, answers pings, and opens and ends the close
/// handshake (RFC 6455, sections 5 and 7).
final class WebSocketMessageHandler: ChannelDuplexHandler {
  typealias InboundIn = WebSocketFrame
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = WebSocketFrame

  /// A server's frames are not masked, a client's are.
  private let isServer: Bool
  private var cutter = MessageCutter()
  private var isClosing = false
  /// Nothing more of the peer is read.
  private var isOver = false
  /// The peer has a moment to read why the connection ends.
  private var isLingering = false
  private var lastWrite: EventLoopFuture<Void>?
  /// What the last ping brought that is not answered. Those before it need no answer any more (RFC
  /// 6455, section 5.5.2), so a peer that does not read makes this side keep no more than one.
  private var ping: ByteBuffer?

  init(isServer: Bool) { self.isServer = isServer }

  // MARK: Reading

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    guard !isOver else { return }
    switch frame.opcode {
    case .binary:
      let message = frame.unmaskedData
      guard MessageFrame.isWhole(message) else {
        fail(
          context, .dataInconsistentWithMessage,
          "a binary frame does not hold one message of Cap'n Proto, and only that")
        return
      }
      context.fireChannelRead(wrapInboundOut(message))
    case .text:
      fail(
        context, .unacceptableData,
        "a text frame came, and Cap'n Proto takes binary frames of one message each")
    case .ping:
      ping = frame.unmaskedData
      answerPing(context)
    case .pong: break
    case .connectionClose: closed(by: frame, context)
    default: break
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    answerPing(context)
    context.fireChannelWritabilityChanged()
  }

  /// Answers the last ping, once all before the answer is written.
  private func answerPing(_ context: ChannelHandlerContext) {
    guard !isClosing, context.channel.isWritable, let data = ping.take() else { return }
    write(data, .pong, context, promise: nil)
    context.flush()
  }

  private func closed(by frame: WebSocketFrame, _ context: ChannelHandlerContext) {
    isOver = true
    var data = frame.unmaskedData
    let code = data.readWebSocketErrorCode()
    writeClose(code ?? .normalClosure, "", context)
    switch code {
    case nil, .normalClosure, .goingAway: break
    case let code?:
      let reason = MessageSummary.printable(data.readableBytesView)
      context.fireErrorCaught(
        RPCError.disconnected("the peer closed the WebSocket with \(code): \(reason)"))
    }
    context.close(promise: nil)
  }

  /// Tells the peer what is wrong, and ends the connection.
  ///
  /// This side's half is closed, and the rest a moment later: a socket that is closed with bytes in it
  /// that nobody has read is reset, and the peer would not learn why.
  private func fail(
    _ context: ChannelHandlerContext, _ code: WebSocketErrorCode, _ words: String
  ) {
    isOver = true
    if let written = writeClose(code, words, context) {
      isLingering = true
      let bound = context.loopBound
      written.whenComplete { _ in bound.value.close(mode: .output, promise: nil) }
      let limit = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
        self.isLingering = false
        context.close(promise: nil)
      }
      // It would keep the channel.
      context.channel.closeFuture.assumeIsolated().whenComplete { _ in limit.cancel() }
    }
    context.fireErrorCaught(RPCError.disconnected(words))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case let error as WebSocketViolation: fail(context, .protocolError, error.words)
    case NIOWebSocketError.invalidFrameLength,
      NIOWebSocketFrameAggregator.Error.accumulatedFrameSizeIsTooLarge:
      fail(context, .messageTooLarge, "a message is longer than the limit")
    case is NIOWebSocketError, is NIOWebSocketFrameAggregator.Error:
      fail(context, .protocolError, "the peer breaks the rules of WebSocket: \(error)")
    default: context.fireErrorCaught(error)
    }
  }

  // MARK: Writing

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    // Nothing follows a close (RFC 6455, section 5.5.1).
    guard !isClosing else {
      promise?.fail(ChannelError.outputClosed)
      return
    }
    cutter.add(unwrapOutboundIn(data))
    while let message = cutter.next() {
      let written = context.eventLoop.makePromise(of: Void.self)
      lastWrite = written.futureResult
      write(message, .binary, context, promise: written)
    }
    // Frames go out in order: the last one tells of all before it.
    let last = lastWrite ?? context.eventLoop.makeSucceededVoidFuture()
    last.cascade(to: promise)
  }

  private func write(
    _ data: ByteBuffer, _ opcode: WebSocketOpcode, _ context: ChannelHandlerContext,
    promise: EventLoopPromise<Void>?
  ) {
    let frame = WebSocketFrame(
      fin: true, opcode: opcode, maskKey: isServer ? nil : .random(), data: data)
    context.write(wrapOutboundOut(frame), promise: promise)
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    if isLingering {
      promise?.succeed(())
      return
    }
    let written = writeClose(.normalClosure, "", context)
    if mode == .output, let written {
      let bound = context.loopBound
      written.whenComplete { _ in bound.value.close(mode: .output, promise: promise) }
    } else {
      // A peer that does not read is not waited for.
      context.close(mode: mode, promise: promise)
    }
  }

  /// Begins or ends the close handshake.
  ///
  /// - Returns: when it is written; nil if it has been before.
  @discardableResult
  private func writeClose(
    _ code: WebSocketErrorCode, _ words: String, _ context: ChannelHandlerContext
  ) -> EventLoopFuture<Void>? {
    guard !isClosing, context.channel.isActive else { return nil }
    isClosing = true
    var data = ByteBuffer()
    data.write(webSocketErrorCode: code)
    // A control frame has room for 125 bytes (RFC 6455, section 5.5); the words are ASCII.
    data.writeBytes(words.utf8.prefix(123))
    let written = context.eventLoop.makePromise(of: Void.self)
    write(data, .connectionClose, context, promise: written)
    context.flush()
    return written.futureResult
  }
}
