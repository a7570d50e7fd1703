import CapTP
import CapnProto
import CapnProtoRPC
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import CapnProtoNIO

/// Runs the body as it goes.
private final class Parting: CapabilityHook {
  private let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  deinit { body() }
}

struct ChannelTransportTests {
  private static func bootstrap(
    _ number: UInt32, holding hook: (any CapabilityHook)? = nil
  ) throws -> SharedMessage {
    let message = MessageBuilder()
    message.build(Message.Builder.self) {
      let bootstrap = $0.initBootstrap()
      bootstrap.questionId = number
      bootstrap.deprecatedObjectId.setCapability(hook)
    }
    return try SharedMessage(message.freeze())
  }

  private static func written(_ channel: EmbeddedChannel) throws -> [UInt32] {
    var numbers: [UInt32] = []
    var decoder = FrameDecoder()
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
      var offset = 0
      while let message = try decoder.next(bytes.readableBytesSpan, &offset) {
        numbers.append(try message.root(as: Message.Reader.self).bootstrap.questionId)
      }
    }
    return numbers
  }

  /// A peer may release what a message gives it before the message is written.
  @Test func `what an object sends as its message goes is written after that message`() throws {
    let loop = EmbeddedEventLoop()
    let channel = EmbeddedChannel(loop: loop)
    let executor = EventLoopExecutor(loop)
    let transport = ChannelTransport(channel, executor, ConnectionLimits(), hasLayers: true)
    var first: SharedMessage? = try Self.bootstrap(
      0,
      holding: Parting {
        for number in 1...4 as ClosedRange<UInt32> {
          guard let message = try? Self.bootstrap(number) else { return }
          if transport.send(message, with: []) { transport.writeGathered() }
        }
      })
    executor.turn { if let message = first.take() { _ = transport.send(message, with: []) } }
    loop.run()
    #expect(try Self.written(channel) == [0, 1, 2, 3, 4])
  }
}
