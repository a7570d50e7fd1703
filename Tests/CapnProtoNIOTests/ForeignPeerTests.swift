import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import NIOCore
import Synchronization
import Testing

/// Peers that speak something else than Cap'n Proto.
@Suite(.timeLimit(.minutes(5))) struct ForeignPeerTests {
  private func listen(
    _ note: @escaping @Sendable (IncomingConnection) -> Void = { _ in }
  ) async throws -> RPCListener {
    try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0)) {
      note($0)
      return Capability(Probe.Client.server(ProbeServer()))
    }
  }

  /// What a listener's connection ends with, and what the peer is sent.
  private func outcome(
    of bytes: [UInt8], oneByOne: Bool
  ) async throws -> (error: RPCError, answer: [UInt8]) {
    let (seen, found) = AsyncStream<RPCConnection>.makeStream()
    let listener = try await listen { found.yield($0.connection) }
    let peer = try await RawPeer.connect(to: listener.address)
    if oneByOne {
      for byte in bytes { try await peer.send([byte]) }
    } else {
      try await peer.send(bytes)
    }
    var connections = seen.makeAsyncIterator()
    let connection = try #require(await connections.next())
    let error = try await connection.closed()
    let answer = try await peer.everything()
    await listener.close()
    return (error, answer)
  }

  @Test(arguments: [false, true])
  func `a listener answers a web browser in HTTP`(_ oneByOne: Bool) async throws {
    // With one byte after the other, those after the decision may not be taken any more.
    let request = oneByOne ? "GET " : "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    let (error, answer) = try await outcome(of: Array(request.utf8), oneByOne: oneByOne)
    #expect(error == .failed("the peer speaks HTTP, not Cap'n Proto RPC"))
    let text = String(decoding: answer, as: UTF8.self)
    #expect(text.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(text)")
    #expect(text.contains("\r\n\r\nthis port speaks Cap'n Proto RPC, not HTTP"), "\(text)")
  }

  @Test(arguments: [false, true])
  func `a listener without TLS refuses a ClientHello in words`(_ oneByOne: Bool) async throws {
    let hello: [UInt8] = oneByOne ? [0x16, 3, 1] : [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3]
    let (error, answer) = try await outcome(of: hello, oneByOne: oneByOne)
    #expect(error == .failed("the peer speaks TLS, not Cap'n Proto RPC"))
    #expect(
      abortReason(answer)
        == "this port speaks Cap'n Proto RPC, not TLS: check host and port; "
        + "connect without TLS only if this server has none")
  }

  @Test(arguments: [
    ("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "the peer speaks HTTP"),
    ("SSH-2.0-OpenSSH_9.2\r\n", "which begins with \"SSH-2.0-\""),
    // An alert is shorter than the head of a frame.
    ("\u{15}\u{3}\u{3}\0\u{2}\u{2}F", "the peer speaks TLS"),
  ])
  func `a call fails with what the port speaks`(
    _ answer: String, _ expected: String
  ) async throws {
    let (channel, address) = try await RawPeer.listen(answering: Array(answer.utf8))
    let connection = try await RPCConnector.connect(to: address)
    let error = await #expect(throws: RPCError.self) { try await connection.echo(1) }
    #expect(error?.kind == .failed)
    #expect(error?.reason.contains(expected) == true, "\(error as Any)")
    try await channel.close()
  }

  @Test func `a client that reconnects gives up on a port that speaks something else`() async throws
  {
    let (channel, address) = try await RawPeer.listen(
      answering: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    let client = ReconnectingClient { try await RPCConnector.connect(to: address) }
    let waiting = Task {
      try await client.client(as: Probe.Client.self).echo { $0.number = 1 }.results { $0.number }
    }
    let limit = Task {
      try await Task.sleep(for: .seconds(20))
      waiting.cancel()
    }
    let error = await #expect(throws: RPCError.self) { try await waiting.value }
    #expect(error?.reason.contains("the peer speaks HTTP") == true, "\(error as Any)")
    limit.cancel()
    client.close()
    try await channel.close()
  }

  @Test func `a host that does not exist is told from one that cannot be reached`() async throws {
    // No name of a host has a space, so nobody is asked for it.
    for (host, kind) in [("a b", RPCError.Kind.failed), ("127.0.0.1", .disconnected)] {
      let error = await #expect(throws: RPCError.self) {
        try await RPCConnector.connect(to: .tcp(host: host, port: 1))
      }
      #expect(error?.kind == kind, "\(error as Any)")
    }
  }

  @Test func `a peer that begins like HTTP and goes no further is cut in a message`()
    async throws
  {
    let (seen, found) = AsyncStream<RPCConnection>.makeStream()
    let listener = try await listen { found.yield($0.connection) }
    let peer = try await RawPeer.connect(to: listener.address)
    try await peer.send(Array("GE".utf8))
    var connections = seen.makeAsyncIterator()
    let connection = try #require(await connections.next())
    await peer.close()
    #expect(
      try await connection.closed()
        == .disconnected("the connection was cut in the middle of a message"))
    await listener.close()
  }

  @Test func `a frame that arrives byte by byte is taken as it is`() async throws {
    let (seen, found) = AsyncStream<RPCConnection>.makeStream()
    let listener = try await listen { found.yield($0.connection) }
    let peer = try await RawPeer.connect(to: listener.address)
    // An abort without a reason: one segment of five words.
    let words: [UInt64] = [
      0x0000_0005_0000_0000, 0x0001_0001_0000_0000, 1, 0x0001_0001_0000_0000, 0, 0,
    ]
    for word in words {
      for shift in 0..<8 { try await peer.send([UInt8(truncatingIfNeeded: word >> (shift * 8))]) }
    }
    var connections = seen.makeAsyncIterator()
    let connection = try #require(await connections.next())
    #expect(try await connection.closed().reason.hasPrefix("the peer aborted the connection"))
    await peer.close()
    await listener.close()
  }
}
