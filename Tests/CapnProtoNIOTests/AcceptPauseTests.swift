import CapnProtoRPC
import CapnProtoTesting
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Synchronization
import Testing

@testable import CapnProtoNIO

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A listener for which the system has no descriptor left.
@Suite(.timeLimit(.minutes(5))) struct AcceptPauseTests {
  private func channel(_ log: Levels, _ reading: Reading) -> EmbeddedChannel {
    EmbeddedChannel(handler: AcceptPauseHandler(log.logger) { reading.changes.append($1) })
  }

  @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
  func `a listener pauses where it cannot accept, and logs that once`(code: CInt) throws {
    let log = Levels()
    let reading = Reading()
    let channel = channel(log, reading)
    let pause = AcceptPauseHandler.pause
    for count in 1...20 {
      channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept"))
      channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept"))
      channel.embeddedEventLoop.advanceTime(by: pause - .nanoseconds(1))
      #expect(reading.changes.count == 2 * count - 1)
      #expect(reading.changes.last == false)
      channel.embeddedEventLoop.advanceTime(by: .nanoseconds(1))
      #expect(reading.changes.count == 2 * count)
      #expect(reading.changes.last == true)
    }
    #expect(log.all == [.warning])
    // A descriptor that is free for a moment does not end the shortage.
    channel.pipeline.fireChannelRead("a connection")
    #expect(log.all == [.warning])
    channel.embeddedEventLoop.advanceTime(by: AcceptPauseHandler.recovery)
    channel.pipeline.fireChannelRead("a connection")
    #expect(log.all == [.warning, .notice])
    _ = try channel.finish()
  }

  @Test func `an error of one connection does not pause a listener`() throws {
    let log = Levels()
    let reading = Reading()
    let channel = channel(log, reading)
    channel.pipeline.fireErrorCaught(IOError(errnoCode: ECONNABORTED, reason: "accept"))
    #expect(reading.changes == [])
    #expect(log.all == [])
    #expect(throws: IOError.self) { try channel.throwIfErrorCaught() }
    _ = try channel.finish()
  }

  @Test func `a pause ends with its listener`() throws {
    let reading = Reading()
    let channel = channel(Levels(), reading)
    channel.pipeline.fireErrorCaught(IOError(errnoCode: EMFILE, reason: "accept"))
    _ = try channel.finish()
    channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(reading.changes == [false])
  }

  #if canImport(Glibc)
    @Test func `a listener without descriptors goes on with its connections, and then accepts`()
      async
    {
      await #expect(processExitsWith: .success) { try OutOfDescriptors().run() }
    }
  #endif
}

#if canImport(Glibc)
  /// A listener in a process of its own, all of whose descriptors are taken. Nothing else is done there
  /// meanwhile, as the runtime's own threads need descriptors too.
  private struct OutOfDescriptors {
    func run() throws {
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
      let log = Levels()
      let counts = AcceptCounts()
      let server = try ServerBootstrap(group: group)
        .serverChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers(
              counts, AcceptPauseHandler(log.logger))
          }
        }
        .childChannelInitializer { $0.pipeline.addHandler(Echo()) }
        .bind(host: "127.0.0.1", port: 0).wait()
      guard let port = server.localAddress?.port else { throw RPCError.failed("no port") }
      let replies = Replies()
      let client = try ClientBootstrap(group: group)
        .channelInitializer { $0.pipeline.addHandler(replies) }
        .connect(host: "127.0.0.1", port: port).wait()
      try roundTrip(client, replies)
      // A socket that needs no further descriptor to connect.
      let late = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
      let taken = takeAll()
      let start = ContinuousClock.now
      connect(late, port)
      for _ in 0..<1000 { try roundTrip(client, replies) }
      while counts.failures == 0 { try roundTrip(client, replies) }
      let attempts = counts.failures
      let limit = Int((ContinuousClock.now - start) / .milliseconds(100)) + 2
      guard attempts <= limit, log.all == [.warning] else {
        throw RPCError.failed("\(attempts) attempts, \(log.all)")
      }
      for descriptor in taken { OpenDescriptor.close(descriptor) }
      while counts.accepted < 2 { try roundTrip(client, replies) }
      guard log.all == [.warning] else { throw RPCError.failed("\(log.all)") }
    }

    private func roundTrip(_ client: any Channel, _ replies: Replies) throws {
      let reply = replies.next(client.eventLoop)
      try client.writeAndFlush(ByteBuffer(bytes: [1])).wait()
      try reply.wait()
    }

    private func takeAll() -> [CInt] {
      var limit = rlimit(rlim_cur: 256, rlim_max: 256)
      _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      var taken: [CInt] = []
      while true {
        let descriptor = dup(0)
        guard descriptor >= 0 else { return taken }
        taken.append(descriptor)
      }
    }

    private func connect(_ socket: CInt, _ port: Int) {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
      let size = socklen_t(MemoryLayout<sockaddr_in>.size)
      unsafe withUnsafePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = unsafe Glibc.connect(socket, $0, size)
        }
      }
    }
  }

  /// Counts what a listening socket accepts, and fails to.
  private final class AcceptCounts: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel
    private let counts = Mutex((accepted: 0, failures: 0))
    var accepted: Int { counts.withLock { $0.accepted } }
    var failures: Int { counts.withLock { $0.failures } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      counts.withLock { $0.accepted += 1 }
      context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      counts.withLock { $0.failures += 1 }
      context.fireErrorCaught(error)
    }
  }

  private final class Echo: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      context.writeAndFlush(data, promise: nil)
    }
  }

  /// Fulfils a promise with each reply.
  private final class Replies: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let promise = Mutex<EventLoopPromise<Void>?>(nil)

    func next(_ loop: any EventLoop) -> EventLoopFuture<Void> {
      let next = loop.makePromise(of: Void.self)
      promise.withLock { $0 = next }
      return next.futureResult
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      promise.withLock { $0.take() }?.succeed(())
    }
  }
#endif

/// Whether a listener reads, each time that changes.
private final class Reading {
  var changes: [Bool] = []
}

/// The levels of what was logged.
private final class Levels: Sendable {
  private struct Handler: LogHandler {
    let levels: Levels
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { levels.levels.withLock { $0.append(event.level) } }
  }
  private let levels = Mutex<[Logger.Level]>([])

  var all: [Logger.Level] { levels.withLock { $0 } }
  var logger: Logger { Logger(label: "test") { _ in Handler(levels: self) } }
}
