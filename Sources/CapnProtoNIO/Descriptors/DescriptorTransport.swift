// Channels of NIO read and write bytes alone, so a connection whose messages carry descriptors has a
// transport of its own: a Unix socket that Dispatch watches, and a queue on which the connection's work
// is done. Descriptors leave with the first byte of their message, which is sent by itself, and arrive
// with it: see `MessageIntake`.

import CapTP
import CapnProto
import CapnProtoRPC
import DequeModule
import NIOCore
import Synchronization

/// Carries messages, and descriptors with them, over a Unix socket.
final class DescriptorTransport: MessageTransport {
  fileprivate struct Outgoing {
    let message: SharedMessage
    let descriptors: [OpenDescriptor]
  }
  /// What is to be written.
  fileprivate struct Output {
    /// Nil once it is closed.
    var socket: UnixSocket?
    var waiting = Deque<Outgoing>()
    var isFlushScheduled = false
    var gathering = Gathering()
    /// Bytes that were taken and are not written yet.
    var unwrittenBytes = 0
    var isClosing = false
    /// What is being written, and the descriptors that go with its first byte.
    var current = ByteBuffer()
    var attached: [OpenDescriptor] = []
  }
  /// What reads. Only the queue locks it, and it stays locked while the connection takes a message,
  /// and with it code of the application may run: so nothing that locks it is called from there.
  fileprivate struct Input: ~Copyable {
    let socket: UnixSocket
    let connection: RPCConnection
    var intake: MessageIntake
    var buffer = ByteBuffer()
    var clock: SilenceClock?
    let whenClosed: @Sendable () -> Void
  }
  private let output: Mutex<Output>
  private let input = Mutex<Input?>(nil)
  private let watch = SocketWatch()
  private let limits: ConnectionLimits
  private let quota: DescriptorQuota
  let queue = ConnectionQueue()
  let descriptorLimit: Int

  /// A transport of a socket that is connected.
  init(_ socket: UnixSocket, _ limits: ConnectionLimits) {
    self.limits = limits
    output = Mutex(Output(socket: socket))
    quota = DescriptorQuota(limits.descriptors)
    descriptorLimit = min(max(limits.descriptors, 0), UnixSocket.descriptorLimit)
  }

  /// Gives what comes to the connection from now on.
  ///
  /// - Parameters:
  ///   - connection: gets the messages.
  ///   - whenClosed: is told when the socket is closed.
  func start(_ connection: RPCConnection, whenClosed: @escaping @Sendable () -> Void = {}) {
    // As one piece of the queue's work, as the end is, which may come before.
    queue.execute { self.open(connection, whenClosed) }
  }

  private func open(_ connection: RPCConnection, _ whenClosed: @escaping @Sendable () -> Void) {
    guard let socket = output.withLock({ $0.socket }) else {
      connection.disconnect(.disconnected("the peer closed the connection"))
      whenClosed()
      return
    }
    let clock =
      limits.silence == nil && limits.pingAfter == nil
      ? nil : SilenceClock(pingAfter: limits.pingAfter, limit: limits.silence, now: .now())
    input.withLock {
      $0 = Input(
        socket: socket, connection: connection, intake: MessageIntake(connection, limits),
        clock: clock, whenClosed: whenClosed)
    }
    watch.start(
      socket, on: queue, whenReadable: { self.read() }, whenWritable: { self.flush(atEnd: true) })
    if clock != nil { listen() }
  }

  // MARK: Writing

  func send(_ message: SharedMessage, with descriptors: [OpenDescriptor]) -> Bool {
    let bytes = message.frameBytes
    let (mustSchedule, isOverLimit, isDue) = output.withLock { output in
      guard !output.isClosing else { return (false, false, false) }
      output.unwrittenBytes += bytes
      guard output.unwrittenBytes <= limits.unwrittenBytes else {
        output.isClosing = true
        return (false, true, false)
      }
      output.waiting.append(
        Outgoing(message: message, descriptors: Array(descriptors.prefix(descriptorLimit))))
      defer { output.isFlushScheduled = true }
      return (!output.isFlushScheduled, false, output.gathering.add(isAwaited: message.isAwaited))
    }
    if mustSchedule { queue.execute { self.flush(atEnd: true) } }
    if isOverLimit { fail(UnreadError(limit: limits.unwrittenBytes), .unwrittenBytes) }
    return isDue
  }

  func writeGathered() {
    guard queue.isCurrent else { return }
    // It may have been written since it was due.
    if output.withLock({ $0.gathering.isDue }) { flush(atEnd: false) }
  }

  private func flush(atEnd: Bool) {
    // Let go of outside of the lock: objects that only a message holds run code of the application, and
    // to close a descriptor may take long.
    var written: [Outgoing] = []
    var descriptors: [OpenDescriptor] = []
    do {
      let isDone = try output.withLock { output in
        output.isFlushScheduled = false
        output.gathering.written(atEnd: atEnd)
        return try output.write(&written, &descriptors)
      }
      watch.setWriting(!isDone)
    } catch {
      fail(error)
    }
    (written, descriptors) = ([], [])
  }

  func close() {
    output.withLock { $0.isClosing = true }
    queue.execute { self.flush(atEnd: true) }
    // The peer's end of the stream closes the rest; but a peer that does not close, or does not read,
    // does not keep the socket.
    watch.schedule(at: .now() + .seconds(5), on: queue) { [weak self] in self?.end() }
  }

  // MARK: Reading

  func setReading(_ isReading: Bool) { watch.setReading(isReading) }

  fileprivate enum Progress {
    case more, nothing
    case end
    case failed(any Error)
  }

  private func read() {
    // Other work of the connection gets its turn in between.
    for _ in 0..<16 where watch.isReading {
      switch readOnce() {
      case .more: continue
      case .nothing: return
      case .end:
        end()
        return
      case .failed(let error):
        fail(error)
        return
      }
    }
  }

  private func readOnce() -> Progress {
    input.withLock { input in
      input?.read(quota) ?? .nothing
    }
  }

  // MARK: The end

  /// Ends the connection for an error of the socket. Not at once: this may be said within `read`.
  private func fail(_ error: any Error, _ limit: ConnectionLimit? = nil) {
    queue.execute {
      // A peer that is gone may have said something before, as why it went.
      if limit == nil { for _ in 0..<1024 { guard case .more = self.readOnce() else { break } } }
      let connection = self.input.withLock { $0?.connection }
      if let limit { connection?.note(limit) }
      connection?.disconnect(.disconnected("the connection failed: \(error)"))
      self.end()
    }
  }

  /// Lets go of the socket.
  private func end() {
    watch.cancel()
    // Let go of outside of the locks.
    let output = output.withLock { output in
      defer { output = Output(isClosing: true) }
      return output
    }
    if let input = input.withLock({ $0.take() }) { input.whenClosed() }
    withExtendedLifetime(output) {}
  }

  // MARK: Keep-alive

  /// Asks a peer that is not heard for a sign of life, and gives it up if there is none.
  private func listen() {
    // The timer is then for the end.
    guard output.withLock({ !$0.isClosing }) else { return }
    let now = NIODeadline.now()
    let isReading = watch.isReading
    let (action, connection) = input.withLock { input in
      // A peer that this side holds back cannot be heard.
      if !isReading { input?.clock?.heard(at: now) }
      return (input?.clock?.action(at: now), input?.connection)
    }
    switch action {
    case nil: break
    case .wait(let time)?: listen(at: time)
    case .ping(let time)?:
      if let ping = try? SharedMessage(MessageReader(flat: KeepAliveHandler.ping)) {
        _ = send(ping, with: [])
      }
      listen(at: time)
    case .end?:
      connection?.note(.silence)
      connection?.disconnect(KeepAliveHandler.error)
    }
  }

  private func listen(at time: NIODeadline) {
    watch.schedule(at: time, on: queue) { [weak self] in self?.listen() }
  }
}

extension DescriptorTransport.Output {
  /// Writes as much as the socket takes.
  ///
  /// - Parameters:
  ///   - taken: gets the messages that are in ``current`` now, and not needed any more.
  ///   - sent: gets the descriptors that are with the system now.
  /// - Returns: whether that was all.
  /// - Throws: `IOError` if the peer is gone.
  fileprivate mutating func write(
    _ taken: inout [DescriptorTransport.Outgoing], _ sent: inout [OpenDescriptor]
  ) throws -> Bool {
    guard let socket else { return true }
    while true {
      if current.readableBytes == 0 { gather(&taken) }
      guard current.readableBytes > 0 else { break }
      let bytes = try socket.send(
        current.readableBytesSpan, with: attached.map(\.rawValue))
      guard let bytes else { return false }
      if bytes > 0 {
        sent += attached
        attached = []
      }
      current.moveReaderIndex(forwardBy: bytes)
      unwrittenBytes -= bytes
    }
    if isClosing { socket.shutDownOutput() }
    return true
  }

  /// Takes the next messages for writing: up to some number of bytes, or one that has descriptors.
  private mutating func gather(_ taken: inout [DescriptorTransport.Outgoing]) {
    // What a long message took is not kept.
    if current.capacity > 1 << 17 { current = ByteBuffer() } else { current.clear() }
    while let next = waiting.first, current.readableBytes < 1 << 16 {
      if !next.descriptors.isEmpty {
        guard current.readableBytes == 0 else { return }
        attached = next.descriptors
      }
      taken.append(waiting.removeFirst())
      current.writeWithOutputRawSpan(minimumWritableBytes: next.message.frameBytes) {
        next.message.write(to: &$0)
      }
      if !attached.isEmpty { return }
    }
  }
}

extension DescriptorTransport.Input {
  /// Reads what is there, up to some number of bytes.
  fileprivate mutating func read(_ quota: DescriptorQuota) -> DescriptorTransport.Progress {
    do {
      return try readOnce(quota)
    } catch {
      return .failed(error)
    }
  }

  private mutating func readOnce(_ quota: DescriptorQuota) throws -> DescriptorTransport.Progress {
    var bytes = ByteBuffer()
    swap(&bytes, &buffer)
    defer { swap(&bytes, &buffer) }
    bytes.clear(minimumCapacity: 1 << 16)
    let limit = min(quota.available, UnixSocket.descriptorLimit)
    switch try socket.receive(into: &bytes, limit: limit) {
    case .nothing:
      // An idle connection keeps none.
      bytes = ByteBuffer()
      return .nothing
    case .end:
      intake.end()
      return .end
    case .bytes(let descriptors, let isTruncated):
      clock?.heard(at: .now())
      if isTruncated { connection.note(.descriptors) }
      if descriptors.isEmpty {
        intake.take(bytes.readableBytesSpan)
      } else {
        intake.take(bytes.readableBytesSpan, with: descriptors.map { quota.own($0) })
      }
      return .more
    }
  }
}
