import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Glibc
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import CapnProtoNIO

/// Gives back what comes.
private final class Echo: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.writeAndFlush(data, promise: nil)
  }
}

/// Runs the body once something comes.
private final class FirstRead: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private var body: (() -> Void)?

  init(_ body: @escaping () -> Void) { self.body = body }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { body.take()?() }
}

/// Serialized, as each takes a processor for a while.
@Suite(.serialized, .timeLimit(.minutes(5))) struct BusyPollingTests {
  private let server = ProbeServer()
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)

  private func limits(_ mode: BusyPolling) -> ConnectionLimits {
    var limits = ConnectionLimits()
    limits.busyPolling = mode
    return limits
  }

  /// Calls the body with a connection both of whose ends poll so.
  private func connected(
    _ mode: BusyPolling, _ body: (RPCConnection) async throws -> Void
  ) async throws {
    let listener = try await RPCListener.listen(
      on: .tcp(host: "127.0.0.1", port: 0), limits: limits(mode), group: group
    ) { [server] _ in Capability(Probe.Client.server(server)) }
    let connection = try await RPCConnector.connect(
      to: listener.address, limits: limits(mode), group: group)
    try await body(connection)
    connection.close()
    await listener.close()
    try await group.shutdownGracefully()
  }

  @Test func `there is none where it is of no use`() throws {
    let channel = try DatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).wait()
    let made = try channel.eventLoop.submit {
      [
        .never, .always(.zero), .always(.seconds(-1)), .always(.microseconds(50)), .adaptive,
      ].map { SocketPolling($0, ChannelSocket(channel)) != nil }
    }.wait()
    let isUseful = System.coreCount > 1
    #expect(made == [false, false, false, isUseful, isUseful])
    #expect(SocketPolling(.adaptive, ChannelSocket(EmbeddedChannel())) == nil)
    try channel.close().wait()
  }

  @Test(arguments: [BusyPolling.adaptive, .always(.microseconds(50)), .never])
  func `calls are made as without`(_ mode: BusyPolling) async throws {
    try await connected(mode) { connection in
      for number in 0..<200 as Range<UInt64> {
        let found = try await connection.echo(number)
        #expect(found == number)
      }
    }
  }

  @Test func `an adaptive connection polls only if it has the event loop for itself`() async throws
  {
    guard System.coreCount > 1 else { return }
    let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let channels = try (0..<2).map { _ in
      try DatagramBootstrap(group: loop).bind(host: "127.0.0.1", port: 0).wait()
    }
    func mayPoll(_ mode: BusyPolling, among crowd: LoopCrowd) throws -> Bool? {
      try channels[0].eventLoop.submit {
        SocketPolling(mode, ChannelSocket(channels[0]))?.mayPoll(among: crowd)
      }.wait()
    }
    let crowd = LoopCrowd.join(channels[0])
    #expect(try mayPoll(.adaptive, among: crowd) == true)
    #expect(LoopCrowd.join(channels[1]) === crowd)
    #expect(try mayPoll(.adaptive, among: crowd) == false)
    #expect(try mayPoll(.always(.microseconds(50)), among: crowd) == true)
    // A channel leaves some time after it has closed.
    try await channels[1].close()
    #expect(await eventually { (try? mayPoll(.adaptive, among: crowd)) == true })
    try await channels[0].close()
    #expect(await eventually { !crowd.isOne })
    try await loop.shutdownGracefully()
  }

  @Test func `an adaptive connection looks for what comes, but not for long in vain`() async throws
  {
    guard System.coreCount > 1 else { return }
    /// What it takes more than without; nil if that cannot be found out.
    func cost(_ count: UInt32) async -> Duration? {
      guard let without = try? await processorTimeOfUnansweredWrites(count, .never),
        let with = try? await processorTimeOfUnansweredWrites(count, .adaptive)
      else { return nil }
      return with - without
    }
    // 200 µs for each of the first ten, unless the thread is not run meanwhile: other tests are run too.
    #expect(await eventually { await cost(8).map { $0 > .microseconds(800) } ?? false })
    // And not for each of a thousand, which would be 200 ms.
    #expect(await eventually { await cost(1000).map { $0 < .milliseconds(40) } ?? false })
  }

  @Test func `a peer that answers while this side looks is taken to be awake`() async throws {
    guard System.coreCount > 1 else { return }
    let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let peer = try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Echo())
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let channel = try await ClientBootstrap(group: loop)
      .connect(to: try #require(peer.localAddress)).get()
    let executor = EventLoopExecutor(channel.eventLoop)
    let message = try Self.message(1)
    let due = channel.eventLoop.makePromise(of: [Bool].self)
    try await channel.eventLoop.submit { [limits = limits(.always(.seconds(60)))] in
      let transport = ChannelTransport(channel, executor, limits, hasLayers: false)
      try channel.pipeline.syncOperations.addHandler(
        FirstRead {
          executor.turn {
            due.succeed((1...24).map { _ in transport.send(message, with: []) })
            transport.close()
          }
        })
      executor.turn { _ = transport.send(message, with: []) }
    }.get()
    #expect(try await due.futureResult.get() == Array(repeating: false, count: 23) + [true])
    try await channel.closeFuture.get()
    try await peer.close()
    try await loop.shutdownGracefully()
  }

  private static func message(_ number: UInt32) throws -> SharedMessage {
    let message = MessageBuilder()
    message.build(Message.Builder.self) { $0.initBootstrap().questionId = number }
    return try SharedMessage(message.freeze())
  }

  /// What an event loop takes for so many messages to a peer that answers none, each sent once the one
  /// before was given up on.
  private func processorTimeOfUnansweredWrites(
    _ count: UInt32, _ mode: BusyPolling
  ) async throws -> Duration {
    let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let peer = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
    let address = try #require(peer.localAddress)
    let channel = try await ClientBootstrap(group: loop).connect(to: address).get()
    let executor = EventLoopExecutor(channel.eventLoop)
    let transport = try await channel.eventLoop.submit { [limits = limits(mode)] in
      ChannelTransport(channel, executor, limits, hasLayers: false)
    }.get()
    let before = try await channel.eventLoop.submit(Self.processorTime).get()
    for number in 0..<count {
      let sent = try Self.message(number)
      try await channel.eventLoop.submit {
        executor.turn { _ = transport.send(sent, with: []) }
      }.get()
    }
    let after = try await channel.eventLoop.submit(Self.processorTime).get()
    try await channel.close()
    try await peer.close()
    try await loop.shutdownGracefully()
    return after - before
  }

  @Test func `what is to be sent, and the end of the connection, do not wait`() async throws {
    let start = ContinuousClock.now
    try await connected(.always(.seconds(60))) { connection in
      let held = connection.bootstrap(as: Probe.Client.self).hold()
      #expect(await eventually { server.heldCount == 1 })
      // This side looks for the results, and the peer for the next call.
      let found = try await connection.echo(1)
      #expect(found == 1)
      server.letGo()
      let number = try await held.results { $0.number }
      #expect(number == 1)
      _ = connection.bootstrap(as: Probe.Client.self).echo { $0.number = 2 }
    }
    #expect(.now - start < .seconds(60))
  }

  @Test func `other connections of the event loop are not kept waiting`() async throws {
    let listener = try await RPCListener.listen(
      on: .tcp(host: "127.0.0.1", port: 0), limits: limits(.always(.milliseconds(1))), group: group
    ) { [server] _ in Capability(Probe.Client.server(server)) }
    let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let busy = try await RPCConnector.connect(
      to: listener.address, limits: limits(.always(.milliseconds(1))), group: loop)
    let other = try await RPCConnector.connect(to: listener.address, group: loop)
    let start = ContinuousClock.now
    let calls = Task {
      try await withTaskExecutorPreference(busy.taskExecutor) {
        while !Task.isCancelled, .now - start < .seconds(20) { _ = try await busy.echo(1) }
      }
    }
    for number in 0..<20 as Range<UInt64> { _ = try await other.echo(number) }
    #expect(.now - start < .seconds(10))
    calls.cancel()
    _ = await calls.result
    busy.close()
    other.close()
    await listener.close()
    try await loop.shutdownGracefully()
    try await group.shutdownGracefully()
  }

  @Test func `a connection that is idle takes no processor`() async throws {
    try await connected(.always(.milliseconds(1))) { connection in
      let found = try await connection.echo(1)
      #expect(found == 1)
      try await Task.sleep(for: .milliseconds(20))
      // Of the event loop that the connection is on.
      let used = try await processorTime(of: connection)
      try await Task.sleep(for: .milliseconds(300))
      let after = try await processorTime(of: connection)
      #expect(after - used < .milliseconds(100), "\(after - used)")
    }
  }

  private func processorTime(of connection: RPCConnection) async throws -> Duration {
    await withTaskExecutorPreference(connection.taskExecutor) { Self.processorTime() }
  }

  /// What this thread has taken.
  @Sendable private static func processorTime() -> Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
