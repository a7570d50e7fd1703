import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Dispatch
import NIOCore
import Testing

@testable import CapnProtoNIO

/// What comes of peers that do not behave, and of the ends of a connection.
@Suite(.timeLimit(.minutes(5))) struct DescriptorTransportTests {
  private func limits(_ change: (inout ConnectionLimits) -> Void = { _ in }) -> ConnectionLimits {
    var limits = ConnectionLimits()
    limits.descriptors = 16
    change(&limits)
    return limits
  }

  /// A connection, and the socket of its peer.
  private func connected(
    _ limits: ConnectionLimits
  ) throws -> (connection: RPCConnection, peer: UnixSocket) {
    let (own, peer) = try Pipe.sockets()
    let connection = try RPCConnector.connection(
      over: own, bootstrap: Capability(Probe.Client.server(ProbeServer())), limits: limits)
    return (connection, try UnixSocket(peer))
  }

  /// What comes until the connection has sent the last of it.
  private func everything(_ peer: UnixSocket) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      var buffer = ByteBuffer()
      buffer.reserveCapacity(1 << 16)
      switch try peer.receive(into: &buffer, limit: 0) {
      case .bytes: bytes += buffer.readableBytesView
      case .nothing: try await Task.sleep(for: .milliseconds(1))
      case .end: return bytes
      }
    }
  }

  private func send(
    _ bytes: [UInt8], _ peer: UnixSocket, with descriptors: [OpenDescriptor] = []
  ) throws {
    _ = unsafe try peer.send(bytes.span.bytes, with: descriptors.map(\.rawValue))
  }

  /// A frame of a message.
  private func frame(_ build: (CapTP.Message.Builder) -> Void) -> [UInt8] {
    let message = MessageBuilder()
    message.build(CapTP.Message.Builder.self, build)
    return message.flattened()
  }

  @Test func `a peer that does not speak Cap'n Proto is told so`() async throws {
    let (connection, peer) = try connected(limits())
    try send(Array("GET / HTTP/1.1\r\n\r\n".utf8), peer)
    #expect(abortReason(try await everything(peer))?.contains("may not speak Cap'n Proto") == true)
    #expect(try await connection.closed().kind == .disconnected)
  }

  @Test func `a message that is too long is refused, and counted`() async throws {
    let (connection, peer) = try connected(limits { $0.messageWords = 8 })
    try send([0, 0, 0, 0, 9, 0, 0, 0], peer)
    #expect(abortReason(try await everything(peer))?.contains("9 words") == true)
    #expect(connection.statistics.limitsReached == [.messageWords: 1])
  }

  @Test func `what came before a message that cannot be read is done`() async throws {
    let (connection, peer) = try connected(limits())
    let (reader, _) = try Pipe.open()
    let bootstrap = frame { $0.initBootstrap().questionId = 0 }
    try send(bootstrap + [0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0], peer, with: [reader])
    let answer = try await everything(peer)
    let message = try MessageReader(flat: Array(answer.prefix(frameBytes(answer))))
    guard case .`return` = try message.root(as: CapTP.Message.Reader.self).which else {
      Issue.record("the first message was not answered")
      return
    }
    #expect(abortReason(Array(answer.dropFirst(frameBytes(answer)))) != nil)
    _ = try await connection.closed()
  }

  /// Bytes of the first frame, which has one segment.
  private func frameBytes(_ bytes: [UInt8]) -> Int {
    8 + 8 * (Int(bytes[4]) + Int(bytes[5]) << 8)
  }

  @Test func `descriptors that belong to no capability are closed`() async throws {
    let (connection, peer) = try connected(limits())
    var ends: (reader: OpenDescriptor, writer: OpenDescriptor)? = try Pipe.open()
    let writer = try #require(ends).writer
    try send(
      frame { $0.initBootstrap().questionId = 0 }, peer, with: [try #require(ends).reader])
    ends = nil
    #expect(await eventually { Pipe.isAbandoned(writer) })
    #expect(connection.statistics.messagesReceived == 1)
    connection.close()
  }

  @Test func `descriptors of a message whose end does not come stay within the limit`() async throws
  {
    let (connection, peer) = try connected(limits())
    var ends: (reader: OpenDescriptor, writer: OpenDescriptor)? = try Pipe.open()
    let writer = try #require(ends).writer
    // A segment of 100 words, of which a byte comes at a time.
    try send([0, 0, 0, 0, 100, 0, 0, 0], peer)
    for _ in 0..<40 { try send([0], peer, with: [try #require(ends).reader]) }
    ends = nil
    #expect(await eventually { connection.statistics.limitsReached[.descriptors] == 24 })
    #expect(!Pipe.isAbandoned(writer))
    connection.close()
    peer.shutDownOutput()
    #expect(await eventually { Pipe.isAbandoned(writer) })
  }

  @Test func `not one more comes than the limit says`() async throws {
    let (connection, peer) = try connected(limits { $0.descriptors = 1 })
    let (reader, writer) = try Pipe.open()
    // A word of the head, and then what is not the end of the message.
    try send([0, 0, 0, 0, 100, 0, 0, 0, 0], peer, with: [reader, writer])
    #expect(await eventually { connection.statistics.limitsReached[.descriptors] == 1 })
    connection.close()
  }

  @Test func `a socket that fails before it is read ends its connection`() async throws {
    var ends: (OpenDescriptor, OpenDescriptor)? = try Pipe.sockets()
    let transport = DescriptorTransport(try UnixSocket(#require(ends).0), limits())
    ends = nil
    let connection = RPCConnection(
      bootstrap: nil, transport: transport, executor: transport.queue)
    let call = connection.bootstrap(as: Probe.Client.self).echo { $0.number = 1 }
    // The write fails meanwhile.
    for _ in 0..<3 { transport.queue.queue.sync {} }
    let (closed, close) = AsyncStream<Void>.makeStream()
    transport.start(connection) { close.finish() }
    for await _ in closed {}
    await #expect(throws: RPCError.self) { try await call.results { $0.number } }
  }

  @Test func `what a peer said before it went is read, although a write fails first`() async throws
  {
    let (own, other) = try Pipe.sockets()
    var peer: UnixSocket? = try UnixSocket(consume other)
    let transport = DescriptorTransport(try UnixSocket(own), limits())
    let connection = RPCConnection(
      bootstrap: nil, transport: transport, executor: transport.queue)
    transport.start(connection)
    transport.queue.queue.sync {}
    transport.setReading(false)
    try send(frame { $0.initAbort().reason = "enough of this" }, try #require(peer))
    peer = nil
    _ = connection.bootstrapCapability()
    #expect(try await connection.closed().reason.contains("enough of this"))
  }

  @Test func `a peer that does not read is given up`() async throws {
    let (connection, peer) = try connected(limits { $0.unwrittenBytes = 1 << 20 })
    let probe = connection.bootstrap(as: Probe.Client.self)
    for _ in 0..<4000 { _ = probe.echo { $0.number = 1 } }
    let sizes = connection.bootstrap(as: Folder.Client.self)
    let padding = [UInt8](repeating: 1, count: 1 << 19)
    for _ in 0..<4 { _ = sizes.sum { $0.padding = padding } }
    #expect(try await connection.closed().reason.contains("more than 1048576 bytes wait"))
    #expect(connection.statistics.limitsReached[.unwrittenBytes] == 1)
    withExtendedLifetime(peer) {}
  }

  @Test func `a silent peer is asked, and then given up`() async throws {
    let (connection, peer) = try connected(
      limits {
        $0.pingAfter = .milliseconds(20)
        $0.silence = .milliseconds(100)
      })
    #expect(try await connection.closed().reason.contains("silence"))
    let asked = try await everything(peer)
    let message = try MessageReader(flat: Array(asked.prefix(32)))
    guard case .obsoleteSave = try message.root(as: CapTP.Message.Reader.self).which else {
      Issue.record("asked with \(asked)")
      return
    }
    #expect(connection.statistics.limitsReached == [.silence: 1])
  }

  @Test func `two ends that are idle keep each other`() async throws {
    let (first, second) = try Pipe.sockets()
    let limits = limits {
      $0.pingAfter = .milliseconds(5)
      $0.silence = .seconds(60)
    }
    let here = try RPCConnector.connection(over: first, limits: limits)
    let there = try RPCConnector.connection(
      over: second, bootstrap: Capability(Probe.Client.server(ProbeServer())), limits: limits)
    #expect(await eventually { here.statistics.messagesReceived >= 5 })
    #expect(try await here.echo(2) == 2)
    here.close()
    _ = try await there.closed()
  }

  @Test func `a peer that goes away ends the connection, and the socket is closed`() async throws {
    let (own, other) = try Pipe.sockets()
    weak let socket = own
    let connection = try RPCConnector.connection(over: consume own, limits: limits())
    var peer: UnixSocket? = try UnixSocket(other)
    try send([0, 0, 0], try #require(peer))
    peer?.shutDownOutput()
    #expect(
      try await connection.closed().reason == "the connection was cut in the middle of a message")
    #expect(await eventually { socket == nil })
    peer = nil
  }

  @Test func `a connection that is closed tells its peer before the socket goes`() async throws {
    let (connection, peer) = try connected(limits())
    connection.abort("enough")
    #expect(abortReason(try await everything(peer)) == "enough")
  }

  @Test func `tasks run on the connection's queue`() async throws {
    let (first, second) = try Pipe.sockets()
    let there = try RPCConnector.connection(
      over: second, bootstrap: Capability(Probe.Client.server(ProbeServer())), limits: limits())
    let here = try RPCConnector.connection(over: first, limits: limits())
    try await withTaskExecutorPreference(try #require(here.taskExecutor)) {
      for number in 0..<100 as Range<UInt64> {
        let found = try await here.echo(number)
        #expect(found == number)
      }
    }
    here.close()
    _ = try await there.closed()
  }

  @Test func `what is no Unix socket is refused in words`() throws {
    let (reader, _) = try Pipe.open()
    #expect {
      try RPCConnector.connection(over: reader)
    } throws: { error in
      (error as? RPCError)?.reason.contains("is no Unix socket") == true
    }
  }

  @Test func `a path where nothing listens is refused in words`() async throws {
    let path = DescriptorTests.temporaryPath()
    await #expect {
      try await RPCConnector.connect(to: .unix(path: path), limits: self.limits())
    } throws: { error in
      (error as? RPCError)?.reason.hasPrefix("cannot connect to unix:\(path): ") == true
    }
  }

  @Test func `a listener refuses one too many, and shuts down`() async throws {
    let listener = try await RPCListener.listen(
      on: .unix(path: DescriptorTests.temporaryPath()), limits: limits(), connectionLimit: 1
    ) { _ in Capability(Probe.Client.server(ProbeServer())) }
    let first = try await RPCConnector.connect(to: listener.address, limits: limits())
    #expect(try await first.echo(1) == 1)
    let second = try await RPCConnector.connect(to: listener.address, limits: limits())
    #expect(try await second.closed().reason.contains("1 connections are open here"))
    first.close()
    #expect(await eventually { listener.openConnections.isEmpty })
    let third = try await RPCConnector.connect(to: listener.address, limits: limits())
    #expect(try await third.echo(3) == 3)
    await listener.shutDown(gracePeriod: .seconds(1))
    #expect(try await third.closed().reason.contains("shutting down"))
    #expect(listener.openConnections.isEmpty)
  }
}
