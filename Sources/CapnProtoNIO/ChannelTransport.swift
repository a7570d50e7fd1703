import CapTP
import CapnProto
import CapnProtoRPC
import NIOCore
import Synchronization

/// Carries messages over a channel: what is sent within one turn of the connection goes out together, or
/// in few writes if it is much.
final class ChannelTransport: MessageTransport {
  private struct State {
    var waiting: [SharedMessage] = []
    /// Memory for the messages that come next.
    var spare: [SharedMessage] = []
    var isFlushScheduled = false
    /// Bytes of the messages that wait.
    var waitingBytes = 0
    /// Bytes that were taken and are not written yet.
    var unwrittenBytes = 0
    var isClosing = false
    /// The peer leaves too much unread: nothing more is written.
    var isGivenUp = false
    var gathering = Gathering()
    var isReading = true
    /// Whether answers are being looked for, or are about to be.
    var isPolling = false
    /// Whether something was written since an answer was last looked for.
    var awaitsAnswer = false
    /// Memory for what is written, as long as that is short.
    var buffer = ByteBuffer()

    /// What looking for answers may take in vain.
    var budget: PollingBudget

    /// Whether an answer is to be looked for, which is done once.
    mutating func mayPoll(at now: NIODeadline) -> Bool {
      defer { awaitsAnswer = false }
      return awaitsAnswer && isReading && !isClosing && budget.allowsMore(at: now)
    }
  }
  private let state: Mutex<State>
  private let channel: any Channel
  private let executor: EventLoopExecutor
  /// What the peer may leave unread before the connection is given up, in bytes.
  private let unwrittenLimit: Int
  /// Where bytes go past the channel; nil if there are layers in it that change them.
  private let socket: ChannelSocket?
  private let polling: SocketPolling?
  /// Those that polling keeps waiting.
  private let crowd: LoopCrowd

  init(
    _ channel: any Channel, _ executor: EventLoopExecutor, _ limits: ConnectionLimits,
    hasLayers: Bool
  ) {
    self.channel = channel
    self.executor = executor
    unwrittenLimit = limits.unwrittenBytes
    let socket = ChannelSocket(channel)
    self.socket = hasLayers ? nil : socket
    crowd = LoopCrowd.join(channel)
    polling = SocketPolling(limits.busyPolling, socket)
    state = Mutex(State(budget: polling?.budget ?? PollingBudget(factor: nil)))
    // It is writable so long as no byte waits for the socket. A channel without such marks is so for
    // a little longer.
    try? channel.syncOptions?.setOption(
      .writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 1, high: 1))
    // Large messages come in pieces of so much at most: fewer of them than by default, unless most of a
    // message is read past the channel.
    let longest = hasLayers ? 1 << 18 : 1 << 16
    try? channel.syncOptions?.setOption(
      .recvAllocator,
      value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 2048, maximum: longest))
  }

  func send(_ message: consuming SharedMessage, with descriptors: [OpenDescriptor]) -> Bool {
    let bytes = message.frameBytes
    let isAwaited = message.isAwaited
    var message: SharedMessage? = message
    let (mustSchedule, isOverLimit, isDue) = state.withLock { state in
      guard !state.isClosing else { return (false, false, false) }
      state.unwrittenBytes += bytes
      guard state.unwrittenBytes <= unwrittenLimit else {
        state.isClosing = true
        state.isGivenUp = true
        return (false, true, false)
      }
      if let message = message.take() { state.waiting.append(message) }
      state.waitingBytes += bytes
      defer { state.isFlushScheduled = true }
      return (!state.isFlushScheduled, false, state.gathering.add(isAwaited: isAwaited))
    }
    if mustSchedule { executor.write(self) }
    if isOverLimit {
      let error = UnreadError(limit: unwrittenLimit)
      channel.eventLoop.execute { self.channel.pipeline.fireErrorCaught(error) }
    }
    return isDue
  }

  func writeGathered() {
    guard channel.eventLoop.inEventLoop else { return }
    // It may have been written since it was due.
    if state.withLock({ $0.gathering.isDue }) { write(atEnd: false) }
  }

  /// Writes what was sent, at the end of a turn.
  func flush() { write(atEnd: true) }

  private func write(atEnd: Bool) {
    var (messages, bytes, isGivenUp, buffer) = state.withLock { state in
      state.isFlushScheduled = false
      state.gathering.written(atEnd: atEnd)
      var messages: [SharedMessage] = []
      swap(&messages, &state.spare)
      swap(&messages, &state.waiting)
      defer {
        state.waitingBytes = 0
        state.buffer = ByteBuffer()
      }
      return (messages, state.waitingBytes, state.isGivenUp, state.buffer)
    }
    guard !messages.isEmpty, !isGivenUp else { return }
    var output = MessageOutput(socket?.isFree == true ? socket : nil, buffer)
    output.add(messages, bytes: bytes)
    output.flush()
    write(output.rest, of: bytes)
    // Let go of where no lock is held, and behind their bytes: what goes may send something, which is
    // then written as well.
    messages.removeAll(keepingCapacity: true)
    keep(messages)
    if let polling { look(polling) }
  }

  /// Keeps the memory of messages that were written.
  private func keep(_ messages: consuming [SharedMessage]) {
    guard messages.capacity <= Self.keptMessages else { return }
    var messages = messages
    state.withLock { swap(&$0.spare, &messages) }
  }

  private static let keptMessages = 256

  /// Has the channel write what is left of so many bytes.
  private func write(_ rest: ByteBuffer, of bytes: Int) {
    guard rest.readableBytes > 0 else {
      state.withLock { state in
        state.unwrittenBytes -= bytes
        if rest.capacity <= Self.keptBytes { state.buffer = rest }
      }
      return
    }
    channel.writeAndFlush(rest, promise: nil)
    if channel.isWritable {
      // The socket took all of it, as it mostly does, and no promise has to be made.
      wrote(bytes)
    } else {
      // What follows is written when this is.
      channel.writeAndFlush(channel.allocator.buffer(capacity: 0)).whenComplete { _ in
        self.wrote(bytes)
      }
    }
  }

  private static let keptBytes = 16 << 10

  /// Has the answer to what was written looked for, once there is nothing else to do.
  private func look(_ polling: SocketPolling) {
    guard polling.mayPoll(among: crowd) else { return }
    let mustSchedule = state.withLock { state in
      defer { state.isPolling = true }
      state.awaitsAnswer = true
      return !state.isPolling
    }
    if mustSchedule { channel.eventLoop.execute { self.poll(polling) } }
  }

  /// Reads answers past the event loop as long as each is followed by more that is written, but not for
  /// ever: the event loop finds out only then what else its channels have to read and write, this one
  /// among them.
  private func poll(_ polling: SocketPolling) {
    for _ in 0..<64 {
      guard channel.isWritable, polling.mayPoll(among: crowd), let bytes = next(polling) else {
        break
      }
      channel.pipeline.fireChannelRead(bytes)
      channel.pipeline.fireChannelReadComplete()
    }
    state.withLock { state in
      state.isPolling = false
      state.gathering.isPeerAwake = false
    }
  }

  /// What comes next; nil if nothing has come by the time, or is not to be looked for.
  private func next(_ polling: SocketPolling) -> ByteBuffer? {
    let start = NIODeadline.now()
    guard state.withLock({ $0.mayPoll(at: start) }) else { return nil }
    switch polling.read(from: start, unless: { isNeeded }) {
    case .bytes(let bytes, let time):
      state.withLock { state in
        state.budget.spend(time, at: start + time, isInVain: false)
        state.gathering.isPeerAwake = true
      }
      return bytes
    case .nothing(let time):
      state.withLock { $0.budget.spend(time, at: start + time, isInVain: true) }
      return nil
    case .end: return nil
    }
  }

  private var isNeeded: Bool { executor.hasWork || state.withLock { $0.isClosing } }

  private func wrote(_ bytes: Int) {
    state.withLock { $0.unwrittenBytes -= bytes }
  }

  func setReading(_ isReading: Bool) {
    state.withLock { $0.isReading = isReading }
    channel.eventLoop.execute {
      // A channel that is closed has nothing to read.
      try? self.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }
  }

  func close() {
    state.withLock { $0.isClosing = true }
    channel.eventLoop.execute {
      self.flush()
      // A peer that does not read, or does not close, does not keep the socket.
      let limit = self.channel.eventLoop.scheduleTask(in: .seconds(5)) {
        self.channel.close(promise: nil)
      }
      // It would keep the channel, and all that belongs to it.
      self.channel.closeFuture.whenComplete { _ in limit.cancel() }
      // After the last write, whose failure is as good as its success. A socket that is closed with
      // bytes in it that nobody has read is reset, and the peer may lose what it was told last: so
      // only this side's half is closed, and the peer's end of the stream closes the rest.
      self.channel.writeAndFlush(self.channel.allocator.buffer(capacity: 0)).whenComplete { _ in
        self.channel.close(mode: .output).whenFailure { _ in self.channel.close(promise: nil) }
      }
    }
  }
}

/// The peer leaves more unread than it may.
struct UnreadError: Error, CustomStringConvertible {
  let limit: Int
  var description: String { "more than \(limit) bytes wait for the peer to read them" }
}
