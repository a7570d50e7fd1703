import CapTP
import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTLS
import CapnProtoTesting
import Crypto
import Foundation
import NIOCore
import NIOEmbedded
import NIOWebSocket
import SwiftASN1
import Synchronization
import Testing
import X509

@testable import CapnProtoWebSocket

@Suite(.timeLimit(.minutes(5))) struct WebSocketTests {
  private func listen(
    path: String = "/rpc", origins: Set<String> = [], limits: ConnectionLimits = ConnectionLimits(),
    handshakeTimeout: Duration = .seconds(60),
    _ note: @escaping @Sendable (IncomingConnection) -> Void = { _ in }
  ) async throws -> RPCListener {
    try await RPCListener.listen(
      on: WebSocketAddress(host: "127.0.0.1", port: 0, path: path), origins: origins,
      limits: limits, handshakeTimeout: handshakeTimeout
    ) {
      note($0)
      return Capability(Probe.Client.server(ProbeServer()))
    }
  }

  private func address(
    _ listener: RPCListener, path: String = "/rpc", isSecure: Bool = false
  ) -> WebSocketAddress {
    guard case .tcp(let host, let port) = listener.address else {
      return WebSocketAddress(host: "", port: 0)
    }
    return WebSocketAddress(host: host, port: port, path: path, isSecure: isSecure)
  }

  private func expectFailure(
    _ words: String, kind: RPCError.Kind = .failed, _ connect: () async throws -> RPCConnection
  ) async {
    let error = await #expect(throws: RPCError.self) { try await connect().echo(1) }
    #expect(error?.kind == kind, "\(error as Any)")
    #expect(error?.reason.contains(words) == true, "\(error as Any)")
  }

  @Test func `calls go over WebSocket`() async throws {
    let listener = try await listen()
    let connection = try await RPCConnector.connect(to: address(listener))
    for number in 0..<100 as Range<UInt64> { #expect(try await connection.echo(number) == number) }
    // Many in one turn of the loop.
    let probe = connection.bootstrap(as: Probe.Client.self)
    let calls = (0..<100 as Range<UInt64>).map { number in probe.echo { $0.number = number } }
    for (number, call) in calls.enumerated() {
      #expect(try await call.results { $0.number } == UInt64(number))
    }
    connection.close()
    #expect(await eventually { listener.openConnections.isEmpty })
    await listener.close()
  }

  @Test func `calls go over WebSocket over TLS`() async throws {
    let authority = try TestAuthority("Test Authority")
    let names = [GeneralName.ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1]))]
    let seen = Mutex<[PeerCertificate.Name]?>(nil)
    let listener = try await RPCListener.listen(
      on: WebSocketAddress(host: "127.0.0.1", port: 0, isSecure: true),
      security: .tls(
        identity: authority.issue(names).identity, clients: .required(authority.trust))
    ) { incoming in
      seen.withLock { $0 = incoming.certificate?.names }
      return Capability(Probe.Client.server(ProbeServer()))
    }
    let client = try authority.issue([.dnsName("client")]).identity
    let secure = address(listener, path: "/", isSecure: true)
    let connection = try await RPCConnector.connect(
      to: secure, security: .tls(trusting: authority.trust, identity: client))
    #expect(try await connection.echo(3) == 3)
    #expect(seen.withLock { $0 } == [.dns("client")])
    await expectFailure("with status 400: this port speaks Cap'n Proto RPC over TLS, not HTTP") {
      try await RPCConnector.connect(to: address(listener, path: "/"))
    }
    await listener.close()
  }

  @Test func `a server with TLS that does not read HTTP is told from its alert`() async throws {
    let (channel, silent) = try await RawPeer.listen(answering: [0x15, 3, 3, 0, 2, 2, 0x46])
    guard case .tcp(let host, let port) = silent else { return }
    await expectFailure("the peer speaks TLS, not Cap'n Proto RPC over WebSocket") {
      try await RPCConnector.connect(to: WebSocketAddress(host: host, port: port))
    }
    try await channel.close()
  }

  @Test(arguments: ["", "no slash", "/a b", "/\r\nX: y"])
  func `a path that a request cannot have is refused`(_ path: String) async throws {
    let error = await #expect(throws: RPCError.self) {
      try await RPCConnector.connect(
        to: WebSocketAddress(host: "127.0.0.1", port: 1, path: path))
    }
    #expect(error?.reason.contains("make no address of WebSocket") == true, "\(error as Any)")
  }

  @Test func `TLS must be said in the address and in the settings`() async throws {
    let secure = WebSocketAddress(host: "127.0.0.1", port: 1, isSecure: true)
    let error = await #expect(throws: RPCError.self) { try await RPCConnector.connect(to: secure) }
    #expect(error?.reason == "wss://127.0.0.1:1/ needs TLS: give its settings (security)")
    let plain = WebSocketAddress(host: "127.0.0.1", port: 1)
    await #expect(throws: RPCError.self) {
      try await RPCConnector.connect(to: plain, security: .tls())
    }
  }

  @Test func `a request for another path, or of a web page, is refused in words`() async throws {
    let listener = try await listen(origins: ["https://example.org"])
    await expectFailure("with status 404: nothing is served at this path") {
      try await RPCConnector.connect(to: address(listener, path: "/other"))
    }
    let page = try await answer(
      of: listener, to: upgrade(["Origin: https://evil.example"]))
    #expect(page.hasPrefix("HTTP/1.1 403 Forbidden\r\n"), "\(page)")
    let browser = try await answer(of: listener, to: "GET /rpc HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(browser.hasPrefix("HTTP/1.1 426 Upgrade Required\r\n"), "\(browser)")
    #expect(browser.contains("speaks Cap'n Proto RPC over WebSocket"), "\(browser)")
    let allowed = try await peer(of: listener, upgrade(["Origin: https://example.org"]))
    #expect(allowed.head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"), "\(allowed.head)")
    await allowed.peer.close()
    #expect(await eventually { listener.openConnections.isEmpty })
    await listener.close()
  }

  @Test(arguments: [
    (200, RPCError.Kind.failed), (301, .failed), (403, .failed), (429, .disconnected),
    (501, .failed), (503, .disconnected),
  ])
  func `a refusal is final unless its status is that of a server which is not ready`(
    _ status: Int, _ kind: RPCError.Kind
  ) async throws {
    let (channel, address) = try await RawPeer.listen(
      answering: Array("HTTP/1.1 \(status) No\r\nContent-Length: 3\r\n\r\nno\n".utf8))
    guard case .tcp(let host, let port) = address else { return }
    await expectFailure("with status \(status): no", kind: kind) {
      try await RPCConnector.connect(to: WebSocketAddress(host: host, port: port))
    }
    try await channel.close()
  }

  @Test func `each side is told that the other one speaks no WebSocket`() async throws {
    let listener = try await listen()
    await expectFailure("this port speaks Cap'n Proto RPC over WebSocket, not Cap'n Proto RPC") {
      try await RPCConnector.connect(to: listener.address)
    }
    await listener.close()
    let plain = try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0)) { _ in nil }
    await expectFailure("with status 400: this port speaks Cap'n Proto RPC, not HTTP") {
      try await RPCConnector.connect(to: address(plain))
    }
    await plain.close()
  }

  @Test func `a peer that asks for nothing does not keep its place`() async throws {
    let listener = try await listen(handshakeTimeout: .milliseconds(100))
    let silent = try await RawPeer.connect(to: listener.address)
    #expect(try await silent.everything() == [])
    let slow = try await RawPeer.connect(to: listener.address)
    // On a machine that is busy its time may be over already.
    try? await slow.send(Array("GET /rpc HTTP/1.1\r\nHost: ".utf8))
    #expect(try await slow.everything() == [])
    await listener.close()
  }

  @Test func `a server that closes right after it has agreed leaves no call waiting`()
    async throws
  {
    let (channel, address) = try await RawPeer.listen { request in
      let text = String(decoding: request, as: UTF8.self)
      let field = text.split(separator: "\r\n").first {
        $0.lowercased().hasPrefix("sec-websocket-key: ")
      }
      guard let key = field?.dropFirst("sec-websocket-key: ".count) else { return nil }
      // RFC 6455, section 4.2.2.
      let hash = Insecure.SHA1.hash(
        data: Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
      return Array(
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Accept: \(Data(hash).base64EncodedString())\r\n\r\n").utf8)
    }
    guard case .tcp(let host, let port) = address else { return }
    // Whether both come in one event is for the system to say.
    for _ in 0..<20 {
      guard
        let connection = try? await RPCConnector.connect(
          to: WebSocketAddress(host: host, port: port))
      else { continue }
      let call = Task { try await connection.echo(1) }
      let ended = Task {
        let error = await call.result
        if case .failure(let error as RPCError) = error { return error.kind == .disconnected }
        return false
      }
      let limit = Task {
        try await Task.sleep(for: .seconds(20))
        call.cancel()
      }
      #expect(await ended.value)
      limit.cancel()
    }
    try await channel.close()
  }

  // MARK: Frames

  /// A request for WebSocket.
  private func upgrade(_ fields: [String] = []) -> String {
    (["GET /rpc HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"]
      + ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"] + fields)
      .joined(separator: "\r\n") + "\r\n\r\n"
  }

  private func answer(of listener: RPCListener, to request: String) async throws -> String {
    let peer = try await RawPeer.connect(to: listener.address)
    try await peer.send(Array(request.utf8))
    return String(decoding: try await peer.everything(), as: UTF8.self)
  }

  /// A peer that speaks WebSocket by hand.
  private func peer(
    of listener: RPCListener, _ request: String? = nil
  ) async throws -> (peer: RawPeer, head: String) {
    let peer = try await RawPeer.connect(to: listener.address)
    try await peer.send(Array((request ?? upgrade()).utf8))
    #expect(await eventually { peer.received.suffix(4) == Array("\r\n\r\n".utf8) })
    return (peer, String(decoding: peer.received, as: UTF8.self))
  }

  /// A frame of a client, masked with zeros.
  private func frame(
    _ opcode: UInt8, _ payload: [UInt8], fin: Bool = true, masked: Bool = true
  ) -> [UInt8] {
    var bytes: [UInt8] = [(fin ? 0x80 : 0) | opcode]
    let mask: UInt8 = masked ? 0x80 : 0
    if payload.count < 126 {
      bytes.append(mask | UInt8(payload.count))
    } else {
      bytes += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
    }
    return bytes + (masked ? [0, 0, 0, 0] : []) + payload
  }

  private var bootstrapMessage: [UInt8] {
    let message = MessageBuilder()
    message.build(CapTP.Message.Builder.self) { $0.initBootstrap().questionId = 0 }
    return message.flattened()
  }

  /// What follows the answer to the request, once the server has closed.
  private func rest(_ peer: (peer: RawPeer, head: String)) async throws -> [UInt8] {
    Array(try await peer.peer.everything().dropFirst(peer.head.utf8.count))
  }

  /// The code and the words of a frame that closes.
  private func closing(_ bytes: [UInt8]) -> (code: Int, words: String)? {
    guard bytes.count >= 4, bytes[0] == 0x88, Int(bytes[1]) == bytes.count - 2 else { return nil }
    return (
      Int(bytes[2]) << 8 | Int(bytes[3]), String(decoding: bytes.dropFirst(4), as: UTF8.self)
    )
  }

  @Test func `a message in fragments is put together, with a ping in between`() async throws {
    let listener = try await listen()
    let peer = try await peer(of: listener)
    let message = bootstrapMessage
    try await peer.peer.send(frame(2, Array(message.prefix(5)), fin: false))
    try await peer.peer.send(frame(0, Array(message[5..<9]), fin: false))
    try await peer.peer.send(frame(9, Array("hello".utf8)))
    try await peer.peer.send(frame(0, Array(message.dropFirst(9))))
    let pong = [0x8a, 5] + Array("hello".utf8)
    #expect(await eventually { peer.peer.received.count > peer.head.utf8.count + pong.count + 2 })
    let answer = Array(peer.peer.received.dropFirst(peer.head.utf8.count))
    #expect(Array(answer.prefix(pong.count)) == pong)
    // Then one binary frame, which is not masked, with a Return.
    let frame = Array(answer.dropFirst(pong.count))
    #expect(frame[0] == 0x82)
    #expect(Int(frame[1]) == frame.count - 2)
    let returned = try MessageReader(flat: Array(frame.dropFirst(2)))
    guard case .`return` = try returned.root(as: CapTP.Message.Reader.self).which else {
      Issue.record("no Return came")
      return
    }
    await peer.peer.close()
    await listener.close()
  }

  @Test func `a ping that comes while bytes wait is answered once they are written`() throws {
    let channel = EmbeddedChannel(handler: WebSocketMessageHandler(isServer: true))
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    func ping(_ text: String) throws {
      try channel.writeInbound(
        WebSocketFrame(
          fin: true, opcode: .ping, maskKey: [0, 0, 0, 0], data: ByteBuffer(string: text)))
    }
    channel.isWritable = false
    channel.pipeline.fireChannelWritabilityChanged()
    try ping("one")
    try ping("two")
    #expect(try channel.readOutbound(as: WebSocketFrame.self) == nil)
    channel.isWritable = true
    channel.pipeline.fireChannelWritabilityChanged()
    // The last one only, and once (RFC 6455, section 5.5.2).
    let pong = try channel.readOutbound(as: WebSocketFrame.self)
    #expect(pong?.opcode == .pong)
    #expect(pong?.data == ByteBuffer(string: "two"))
    channel.pipeline.fireChannelWritabilityChanged()
    #expect(try channel.readOutbound(as: WebSocketFrame.self) == nil)
    try ping("three")
    #expect(try channel.readOutbound(as: WebSocketFrame.self)?.data == ByteBuffer(string: "three"))
    _ = try channel.finish()
  }

  @Test func `a close is answered with one, and ends the connection`() async throws {
    let (seen, found) = AsyncStream<RPCConnection>.makeStream()
    let listener = try await listen { found.yield($0.connection) }
    let peer = try await peer(of: listener)
    try await peer.peer.send(frame(8, [0x03, 0xe8]))
    #expect(closing(try await rest(peer))?.code == 1000)
    var connections = seen.makeAsyncIterator()
    let connection = try #require(await connections.next())
    #expect(try await connection.closed() == .disconnected("the peer closed the connection"))
    await listener.close()
  }

  @Test func `a close for a reason ends the connection with it`() async throws {
    let (seen, found) = AsyncStream<RPCConnection>.makeStream()
    let listener = try await listen { found.yield($0.connection) }
    let peer = try await peer(of: listener)
    try await peer.peer.send(frame(8, [0x03, 0xf3] + Array("out of\u{7} memory".utf8)))
    _ = try await rest(peer)
    var connections = seen.makeAsyncIterator()
    let connection = try #require(await connections.next())
    let reason = try await connection.closed().reason
    #expect(reason.contains("unexpectedServerError: out of\\u{7} memory"), "\(reason)")
    await listener.close()
  }

  @Test func `a connection that this side closes is closed as RFC 6455 asks for`() async throws {
    let (seen, found) = AsyncStream<RPCConnection>.makeStream()
    let listener = try await listen { found.yield($0.connection) }
    let peer = try await peer(of: listener)
    var connections = seen.makeAsyncIterator()
    let connection = try #require(await connections.next())
    connection.close()
    #expect(closing(try await rest(peer))?.code == 1000)
    await listener.close()
  }

  @Test func `frames that break the rules end the connection with the code for that`()
    async throws
  {
    var limits = ConnectionLimits()
    limits.messageWords = 1024
    let long = [UInt8](repeating: 0, count: 20_000)
    let cases: [(frames: [[UInt8]], code: Int, words: String)] = [
      ([frame(1, Array("{}".utf8))], 1003, "a text frame came"),
      ([frame(1, Array("{".utf8), fin: false), frame(0, Array("}".utf8))], 1003, "a text frame"),
      ([frame(2, bootstrapMessage, masked: false)], 1002, "is not masked"),
      ([frame(2, bootstrapMessage.dropLast())], 1007, "does not hold one message"),
      ([frame(2, bootstrapMessage + bootstrapMessage)], 1007, "does not hold one message"),
      ([frame(2, [])], 1007, "does not hold one message"),
      ([frame(2, [0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0])], 1007, "does not hold one message"),
      ([frame(3, [])], 1002, "opcode that is not known"),
      ([frame(0x42, bootstrapMessage)], 1002, "an extension that was not agreed on"),
      ([frame(0, [1])], 1002, "breaks the rules of WebSocket"),
      ([frame(2, [1], fin: false), frame(2, [1])], 1002, "breaks the rules of WebSocket"),
      ([frame(9, [UInt8](repeating: 0, count: 126))], 1002, "breaks the rules of WebSocket"),
      ([frame(9, [], fin: false)], 1002, "breaks the rules of WebSocket"),
      ([frame(2, long)], 1009, "longer than the limit"),
      (
        [frame(2, Array(long.prefix(8000)), fin: false)]
          + [frame(0, Array(long.prefix(8000)), fin: false)], 1009, "longer than the limit"
      ),
    ]
    let listener = try await listen(limits: limits)
    for (frames, code, words) in cases {
      let peer = try await peer(of: listener)
      for frame in frames { try? await peer.peer.send(frame) }
      let rest = try await rest(peer)
      let end = closing(rest)
      #expect(end?.code == code, "\(words): \(rest)")
      #expect(end?.words.contains(words) == true, "\(String(describing: end)) for \(words)")
    }
    #expect(await eventually { listener.openConnections.isEmpty })
    await listener.close()
  }

  @Test func `random bytes after the handshake end their connection and no other`() async throws {
    let listener = try await listen()
    let good = try await RPCConnector.connect(to: address(listener))
    var generator = SplitMix(state: 5)
    for _ in 0..<30 {
      let peer = try await peer(of: listener)
      try? await peer.peer.send((0..<200).map { _ in .random(in: 0...255, using: &generator) })
      await peer.peer.close()
    }
    #expect(try await good.echo(1) == 1)
    #expect(await eventually { listener.openConnections.count == 1 })
    await listener.close()
  }

  @Test func `a message over the limit fails the call that it answers, in words`() async throws {
    let listener = try await listen()
    var limits = ConnectionLimits()
    limits.messageWords = 1
    await expectFailure("more than the limit of 1 (FrameLimits.words)", kind: .disconnected) {
      try await RPCConnector.connect(to: address(listener), limits: limits)
    }
    await listener.close()
  }
}
