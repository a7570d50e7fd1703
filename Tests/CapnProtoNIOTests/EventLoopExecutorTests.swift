import CapTP
import CapnProto
import CapnProtoRPC
import NIOCore
import NIOEmbedded
import NIOPosix
import Synchronization
import Testing

@testable import CapnProtoNIO

/// What was done, in order.
private final class Log: Sendable {
  private let entries = Mutex<[Int]>([])
  var all: [Int] { entries.withLock { $0 } }
  func append(_ entry: Int) { entries.withLock { $0.append(entry) } }
}

/// Each is on a loop that does nothing by itself.
struct EventLoopExecutorTests {
  private let log = Log()

  @Test func `what comes up in a turn is done at its end, in order`() {
    let loop = EmbeddedEventLoop()
    let executor = EventLoopExecutor(loop)
    executor.turn {
      executor.execute { [log] in
        log.append(2)
        executor.execute { log.append(4) }
      }
      executor.execute { [log] in log.append(3) }
      log.append(1)
      #expect(executor.hasWork)
    }
    #expect(log.all == [1, 2, 3, 4])
    #expect(!executor.hasWork)
  }

  @Test func `what comes up outside of a turn gets one, in order`() {
    let loop = EmbeddedEventLoop()
    let executor = EventLoopExecutor(loop)
    executor.execute { [log] in log.append(1) }
    executor.execute { [log] in log.append(2) }
    #expect(log.all == [])
    loop.run()
    #expect(log.all == [1, 2])
    // A turn goes before one that was asked for, which then finds nothing.
    executor.execute { [log] in log.append(3) }
    executor.turn { log.append(4) }
    #expect(log.all == [1, 2, 4, 3])
    loop.run()
    executor.execute { [log] in log.append(5) }
    loop.run()
    #expect(log.all == [1, 2, 4, 3, 5])
  }

  @Test func `a turn within a turn leaves the work to that one`() {
    let loop = EmbeddedEventLoop()
    let executor = EventLoopExecutor(loop)
    executor.turn {
      executor.execute { [log] in log.append(2) }
      executor.turn {}
      log.append(1)
    }
    #expect(log.all == [1, 2])
  }

  @Test func `work that never ends keeps no message back`() throws {
    let loop = EmbeddedEventLoop()
    let channel = EmbeddedChannel(loop: loop)
    let executor = EventLoopExecutor(loop)
    let transport = ChannelTransport(channel, executor, ConnectionLimits(), hasLayers: true)
    let message = MessageBuilder()
    message.build(Message.Builder.self) { $0.initFinish().questionId = 7 }
    let sent = try SharedMessage(message.freeze())
    let written = Mutex<[Bool]>([])
    @Sendable func goOn(_ rounds: Int) {
      written.withLock { $0.append((try? channel.readOutbound(as: ByteBuffer.self)) != nil) }
      if rounds > 0 { executor.execute { goOn(rounds - 1) } }
    }
    executor.turn {
      executor.execute {
        _ = transport.send(sent, with: [])
        goOn(3)
      }
    }
    #expect(written.withLock { $0 } == [false, true, false, false])
  }

  @Test func `work that never ends lets the event loop do other things`() {
    let loop = EmbeddedEventLoop()
    let executor = EventLoopExecutor(loop)
    let hasRun = Atomic(false)
    @Sendable func goOn(_ rounds: Int) {
      if rounds > 0, !hasRun.load(ordering: .relaxed) { executor.execute { goOn(rounds - 1) } }
      if rounds == 0 { log.append(0) }
    }
    executor.turn { goOn(1000) }
    loop.execute { hasRun.store(true, ordering: .relaxed) }
    loop.run()
    #expect(log.all == [])
    #expect(!executor.hasWork)
  }

  @Test func `tasks and work that come from other threads are all done`() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let executor = EventLoopExecutor(group.next())
    let total = await withTaskGroup(of: Int.self) { tasks in
      for number in 0..<200 {
        tasks.addTask {
          await withCheckedContinuation { continuation in
            executor.execute { continuation.resume() }
          }
          return await withTaskExecutorPreference(executor) {
            #expect(executor.isCurrent)
            await Task.yield()
            return number
          }
        }
      }
      return await tasks.reduce(0, +)
    }
    #expect(total == 199 * 100)
    try await group.shutdownGracefully()
  }
}
