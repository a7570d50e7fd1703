import CapnProto
import CapnProtoRPC
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import CapnProtoNIO

struct MessageOutputTests {
  /// A message with so many bytes of data in each of its fields.
  private func message(_ sizes: [Int], _ seed: UInt8) throws -> SharedMessage {
    let builder = MessageBuilder()
    builder.build(Folder.SumResults.Builder.self) { root in
      let texts = root.initTexts(sizes.count)
      for (index, size) in sizes.enumerated() {
        texts[index] = String(repeating: Character(UnicodeScalar(65 + seed % 26)), count: size)
      }
    }
    return try SharedMessage(builder.freeze())
  }

  private func received(_ socket: UnixSocket) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      var buffer = ByteBuffer()
      buffer.reserveCapacity(1 << 16)
      guard case .bytes = try socket.receive(into: &buffer, limit: 0) else { return bytes }
      bytes += buffer.readableBytesView
    }
  }

  @Test(
    arguments: [
      [[10]], [[10], [20], [30]], [[200_000]], [[10], [150_000], [20]],
      [[132_000], [132_000], [7]], [[10, 150_000, 20, 60_000]], [[3_000_000], [10]],
      [[10], [3_000_000], [40_000]], [[131_000], [131_072]],
    ] as [[[Int]]])
  func `what is sent and then what is left are the messages, in order`(
    _ sizes: [[Int]]
  ) async throws {
    let (own, other) = try Pipe.sockets()
    let peer = try UnixSocket(other)
    let messages = try sizes.enumerated().map { try message($1, UInt8($0)) }
    let expected = messages.flatMap { $0.flattened() }
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.autoRead, value: false)
      .withConnectedSocket(try OpenDescriptorCopy.of(own)).get()
    let rest = try await channel.eventLoop.submit {
      let socket = ChannelSocket(channel)
      #expect(socket?.isFree == true)
      var output = MessageOutput(socket, ByteBuffer())
      output.add(messages, bytes: messages.reduce(0) { $0 + $1.frameBytes })
      output.flush()
      return Array(output.rest.readableBytesView)
    }.get()
    let sent = try received(peer)
    #expect(sent.count > 0)
    // A Unix socket takes some 200 kB.
    #expect(expected.count < 150_000 ? rest.isEmpty : expected.count < 1_000_000 || rest.count > 0)
    #expect(sent + rest == expected)
    try await channel.close()
  }

  @Test func `without a socket all is left`() throws {
    let messages = [try message([10], 1), try message([100_000], 2)]
    var output = MessageOutput(nil, ByteBuffer())
    output.add(messages, bytes: messages.reduce(0) { $0 + $1.frameBytes })
    output.flush()
    #expect(Array(output.rest.readableBytesView) == messages.flatMap { $0.flattened() })
  }

  @Test func `a socket whose peer is gone takes nothing, and raises no signal`() async throws {
    var ends: (OpenDescriptor, OpenDescriptor)? = try Pipe.sockets()
    let copy = try OpenDescriptorCopy.of(#require(ends).0)
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.autoRead, value: false).withConnectedSocket(copy).get()
    ends = nil
    let message = try message([200_000], 1)
    let rest = try await channel.eventLoop.submit {
      var output = MessageOutput(ChannelSocket(channel), ByteBuffer())
      output.add([message], bytes: message.frameBytes)
      output.flush()
      return output.rest.readableBytes
    }.get()
    #expect(rest == message.frameBytes)
    try? await channel.close()
  }
}

/// A descriptor that a channel owns.
enum OpenDescriptorCopy {
  static func of(_ descriptor: OpenDescriptor) throws -> CInt {
    let copy = fcntl(descriptor.rawValue, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw Pipe.Failure(code: errno) }
    return copy
  }
}
