import CapnProtoRPC
import CapnProtoTesting
import Glibc
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import CapnProtoNIO

/// Serialized, as each takes a processor for a while.
@Suite(.serialized, .timeLimit(.minutes(5))) struct BusyPollingTests {
  private let server = ProbeServer()
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)

  private func limits(_ window: Duration?) -> ConnectionLimits {
    var limits = ConnectionLimits()
    limits.busyPolling = window
    return limits
  }

  /// Calls the body with a connection both of whose ends poll for so long.
  private func connected(
    _ window: Duration, _ body: (RPCConnection) async throws -> Void
  ) async throws {
    let listener = try await RPCListener.listen(
      on: .tcp(host: "127.0.0.1", port: 0), limits: limits(window), group: group
    ) { [server] _ in Capability(Probe.Client.server(server)) }
    let connection = try await RPCConnector.connect(
      to: listener.address, limits: limits(window), group: group)
    try await body(connection)
    connection.close()
    await listener.close()
    try await group.shutdownGracefully()
  }

  @Test func `there is none unless it is asked for, and there is a socket`() throws {
    let channel = try DatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).wait()
    let made = try channel.eventLoop.submit {
      [nil, .zero, .seconds(-1), .microseconds(50)].map {
        BusyPolling($0, ChannelSocket(channel)) != nil
      }
    }.wait()
    #expect(made == [false, false, false, System.coreCount > 1])
    #expect(BusyPolling(.microseconds(50), ChannelSocket(EmbeddedChannel())) == nil)
    try channel.close().wait()
  }

  @Test func `calls are made as without`() async throws {
    try await connected(.microseconds(50)) { connection in
      for number in 0..<200 as Range<UInt64> {
        let found = try await connection.echo(number)
        #expect(found == number)
      }
    }
  }

  @Test func `what is to be sent, and the end of the connection, do not wait`() async throws {
    let start = ContinuousClock.now
    try await connected(.seconds(60)) { connection in
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
      on: .tcp(host: "127.0.0.1", port: 0), limits: limits(.milliseconds(1)), group: group
    ) { [server] _ in Capability(Probe.Client.server(server)) }
    let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let busy = try await RPCConnector.connect(
      to: listener.address, limits: limits(.milliseconds(1)), group: loop)
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
    try await connected(.milliseconds(1)) { connection in
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
    await withTaskExecutorPreference(connection.taskExecutor) {
      var time = timespec()
      unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
  }
}
