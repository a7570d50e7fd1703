import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTLS
import CapnProtoTesting
import Crypto
import Foundation
import NIOCore
import SwiftASN1
import Synchronization
import Testing
import X509

@Suite(.timeLimit(.minutes(5))) struct TLSTests {
  private let authority: TestAuthority
  private let server: TLSIdentity

  init() throws {
    authority = try TestAuthority("Test Authority")
    server = try authority.issue([
      .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
    ]).identity
  }

  private func listen(
    _ identity: TLSIdentity? = nil, clients: ClientCertificates = .ignored,
    on address: RPCAddress = .tcp(host: "127.0.0.1", port: 0), connectionLimit: Int = .max,
    handshakeTimeout: Duration = .seconds(60),
    _ note: @escaping @Sendable (IncomingConnection) -> Void = { _ in }
  ) async throws -> RPCListener {
    try await RPCListener.listen(
      on: address, security: .tls(identity: identity ?? server, clients: clients),
      connectionLimit: connectionLimit, handshakeTimeout: handshakeTimeout
    ) {
      note($0)
      return Capability(Probe.Client.server(ProbeServer()))
    }
  }

  private func connect(
    to listener: RPCListener, host: String = "127.0.0.1", identity: TLSIdentity? = nil,
    trusting trust: TLSTrust? = nil
  ) async throws -> RPCConnection {
    var address = listener.address
    if case .tcp(_, let port) = address { address = .tcp(host: host, port: port) }
    return try await RPCConnector.connect(
      to: address,
      security: .tls(trusting: trust ?? authority.trust, identity: identity),
      timeout: .seconds(60))
  }

  /// What connecting, or the first call, fails with.
  private func failure(_ connect: () async throws -> RPCConnection) async -> RPCError? {
    await #expect(throws: RPCError.self) { try await connect().echo(1) }
  }

  private func expectFailure(
    _ words: String, kind: RPCError.Kind = .failed, _ connect: () async throws -> RPCConnection
  ) async {
    let error = await failure(connect)
    #expect(error?.kind == kind, "\(error as Any)")
    #expect(error?.reason.contains(words) == true, "\(error as Any)")
  }

  @Test(arguments: ["127.0.0.1", "localhost"])
  func `calls go over TLS to a host that the certificate names`(_ host: String) async throws {
    let listener = try await listen()
    let connection = try await connect(to: listener, host: host)
    for number in 0..<100 as Range<UInt64> { #expect(try await connection.echo(number) == number) }
    connection.close()
    #expect(await eventually { listener.openConnections.isEmpty })
    await listener.close()
  }

  @Test func `a certificate for another host is refused`() async throws {
    let other = try authority.issue([.dnsName("other.example")]).identity
    let listener = try await listen(other)
    await expectFailure("the server's certificate is not for 127.0.0.1") {
      try await connect(to: listener)
    }
    await expectFailure("the server's certificate is not for localhost") {
      try await connect(to: listener, host: "localhost")
    }
    await listener.close()
  }

  @Test func `a certificate is refused outside of its dates`() async throws {
    let name = [GeneralName.dnsName("localhost")]
    for (from, to, words) in [
      (-7200.0, -3600.0, "the server's certificate has expired"),
      (3600, 7200, "the server's certificate is not valid yet"),
    ] {
      let listener = try await listen(authority.issue(name, from: from, to: to).identity)
      await expectFailure(words) { try await connect(to: listener, host: "localhost") }
      await listener.close()
    }
  }

  @Test func `a server's certificate has to be for the host and no more`() async throws {
    // A name for mail that is not ASCII, which some readers of certificates do not take.
    let mail: [UInt8] = [0x81, 2, 0xc3, 0xa9]
    let host = [0x82, 9] + Array("localhost".utf8)
    let names: [UInt8] = [0x30, UInt8(mail.count + host.count)] + mail + host
    let listener = try await listen(authority.issue([], encodedNames: names).identity)
    let connection = try await connect(to: listener, host: "localhost")
    #expect(try await connection.echo(1) == 1)
    await listener.close()
  }

  @Test func `a certificate of an unknown authority is refused`() async throws {
    let listener = try await listen()
    let other = try TestAuthority("Other Authority")
    for trust in [try other.trust, .system] {
      await expectFailure("certificate is not of an authority that is trusted here") {
        try await connect(to: listener, trusting: trust)
      }
    }
    await listener.close()
  }

  @Test func `a listener knows a client by its certificate`() async throws {
    let clients = try TestAuthority("Clients")
    let (certificate, identity, _) = try clients.issue(
      [
        .uniformResourceIdentifier("spiffe://example.org/billing"), .dnsName("billing.local"),
        .rfc822Name("billing@example.org"),
        .ipAddress(ASN1OctetString(contentBytes: [10, 0, 0, 1])),
      ], subject: "billing")
    let (seen, found) = AsyncStream<IncomingConnection>.makeStream()
    let listener = try await listen(clients: .required(clients.trust)) { found.yield($0) }
    let connection = try await connect(to: listener, identity: identity)
    #expect(try await connection.echo(7) == 7)
    var connections = seen.makeAsyncIterator()
    let shown = try #require(await connections.next()?.certificate)
    #expect(
      shown.names == [
        .uri("spiffe://example.org/billing"), .dns("billing.local"), .email("billing@example.org"),
        .ip([10, 0, 0, 1]),
      ])
    #expect(shown.subject == "CN=billing")
    var serializer = DER.Serializer()
    try certificate.serialize(into: &serializer)
    #expect(shown.derBytes == serializer.serializedBytes)
    let hash = SHA256.hash(data: serializer.serializedBytes)
    #expect(shown.fingerprint == hash.map { String(format: "%02x", $0) }.joined())
    connection.close()
    await listener.close()
  }

  @Test func `a client without a certificate that is trusted is not let in, and learns why`()
    async throws
  {
    let admitted = Mutex(0)
    let listener = try await listen(clients: .required(authority.trust)) { _ in
      admitted.withLock { $0 += 1 }
    }
    await expectFailure("the server requires a certificate: connect with an identity") {
      try await connect(to: listener)
    }
    let stranger = try TestAuthority("Strangers").issue([.dnsName("stranger")]).identity
    await expectFailure("the peer does not trust the authority of this side's certificate") {
      try await connect(to: listener, identity: stranger)
    }
    let expired = try authority.issue([.dnsName("late")], from: -7200, to: -3600).identity
    await expectFailure("to the peer, this side's certificate is not valid at this time") {
      try await connect(to: listener, identity: expired)
    }
    #expect(admitted.withLock { $0 } == 0)
    await listener.close()
  }

  @Test func `a certificate that is optional is known if it is there, and must be good`()
    async throws
  {
    let (seen, found) = AsyncStream<[PeerCertificate.Name]?>.makeStream()
    let listener = try await listen(clients: .optional(authority.trust)) {
      found.yield($0.certificate?.names)
    }
    var names = seen.makeAsyncIterator()
    let anonymous = try await connect(to: listener)
    #expect(try await anonymous.echo(1) == 1)
    #expect(await names.next() == .some(nil))
    let known = try await connect(
      to: listener, identity: authority.issue([.dnsName("known")]).identity)
    #expect(try await known.echo(1) == 1)
    #expect(await names.next() == [.dns("known")])
    let stranger = try TestAuthority("Strangers").issue([.dnsName("known")]).identity
    await expectFailure("does not trust the authority") {
      try await connect(to: listener, identity: stranger)
    }
    await listener.close()
  }

  @Test func `a client without TLS is told to use it`() async throws {
    let listener = try await listen()
    await expectFailure(
      "this port speaks Cap'n Proto RPC over TLS, not Cap'n Proto RPC: connect with TLS"
    ) { try await RPCConnector.connect(to: listener.address) }
    let browser = try await RawPeer.connect(to: listener.address)
    try await browser.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
    let answer = String(decoding: try await browser.everything(), as: UTF8.self)
    #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(answer)")
    #expect(answer.contains("connect with TLS"), "\(answer)")
    #expect(listener.openConnections.isEmpty)
    await listener.close()
  }

  @Test func `a client with TLS is told that the port is without`() async throws {
    let plain = try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0)) { _ in nil }
    await expectFailure(
      "the peer refused the connection in plain Cap'n Proto: "
        + "this port speaks Cap'n Proto RPC, not TLS: check host and port; "
        + "connect without TLS only if this server has none"
    ) { try await connect(to: plain) }
    await plain.close()
    let (channel, address) = try await RawPeer.listen(
      answering: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    await expectFailure("the peer speaks HTTP, not Cap'n Proto RPC over TLS") {
      try await RPCConnector.connect(to: address, security: .tls(trusting: authority.trust))
    }
    try await channel.close()
  }

  @Test func `a peer that never ends its handshake does not keep its place`() async throws {
    let listener = try await listen(connectionLimit: 1, handshakeTimeout: .milliseconds(100))
    let silent = try await RawPeer.connect(to: listener.address)
    // It is cut off, and the next one gets its place.
    #expect(try await silent.everything() == [])
    #expect(
      await eventually {
        guard let connection = try? await connect(to: listener) else { return false }
        return (try? await connection.echo(1)) == 1
      })
    await listener.close()
  }

  @Test(arguments: [false, true])
  func `a listener that ends does not wait for handshakes`(_ isGraceful: Bool) async throws {
    let listener = try await listen(connectionLimit: 1, handshakeTimeout: .seconds(3600))
    // One of them gets the only place.
    let peers = [
      try await RawPeer.connect(to: listener.address),
      try await RawPeer.connect(to: listener.address),
    ]
    #expect(await eventually { peers.contains { abortReason($0.received) != nil } })
    let silent = try #require(peers.first { $0.received.isEmpty })
    if isGraceful {
      await listener.shutDown(gracePeriod: .zero)
    } else {
      await listener.close()
    }
    let limit = Task {
      try await Task.sleep(for: .seconds(20))
      Issue.record("the handshake goes on")
      await silent.close()
    }
    #expect(try await silent.everything() == [])
    limit.cancel()
  }

  @Test func `a client waits for a handshake no longer than it likes`() async throws {
    let (channel, address) = try await RawPeer.listen(answering: nil)
    await expectFailure("the connection was not ready within 0.2 seconds", kind: .disconnected) {
      try await RPCConnector.connect(
        to: address, security: .tls(trusting: authority.trust), timeout: .milliseconds(200))
    }
    try await channel.close()
  }

  @Test func `bytes that are no TLS end their connection and no other`() async throws {
    let listener = try await listen()
    let good = try await connect(to: listener)
    var generator = SplitMix(state: 11)
    for _ in 0..<20 {
      let peer = try await RawPeer.connect(to: listener.address)
      // It begins like a record.
      try await peer.send(
        [0x16, 3, 1, 1, 0] + (0..<256).map { _ in UInt8.random(in: 0...255, using: &generator) })
      _ = try await peer.everything()
    }
    #expect(try await good.echo(1) == 1)
    #expect(listener.openConnections.count == 1)
    await listener.close()
  }

  @Test func `TLS over a Unix socket is for the name that is given`() async throws {
    let path = "/tmp/capnp-tls-\(UInt64.random(in: 0 ... .max)).sock"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let listener = try await listen(on: .unix(path: path))
    let error = await #expect(throws: RPCError.self) {
      try await RPCConnector.connect(
        to: .unix(path: path), security: .tls(trusting: authority.trust))
    }
    #expect(error?.reason.contains("needs the name") == true, "\(error as Any)")
    let connection = try await RPCConnector.connect(
      to: .unix(path: path), security: .tls(trusting: authority.trust, serverName: "localhost"))
    #expect(try await connection.echo(1) == 1)
    await expectFailure("the server's certificate is not for elsewhere") {
      try await RPCConnector.connect(
        to: .unix(path: path), security: .tls(trusting: authority.trust, serverName: "elsewhere"))
    }
    await listener.close()
  }

  @Test func `a connection over the limit is told so before TLS`() async throws {
    let listener = try await listen(connectionLimit: 1)
    let first = try await connect(to: listener)
    #expect(try await first.echo(1) == 1)
    await expectFailure("1 connections are open here", kind: .disconnected) {
      try await connect(to: listener)
    }
    await listener.close()
  }

  @Test func `a shutdown reaches peers over TLS`() async throws {
    let listener = try await listen()
    let connection = try await connect(to: listener)
    #expect(try await connection.echo(1) == 1)
    await listener.shutDown(gracePeriod: .seconds(60), reason: "back in an hour")
    #expect(try await connection.closed().reason.contains("back in an hour"))
  }

  @Test func `texts that are no certificates and keys are errors that do not quote them`()
    async throws
  {
    for (certificates, key) in [("secret", "secret"), (try authority.pem, "secret")] {
      let error = #expect(throws: RPCError.self) {
        try TLSIdentity(certificates: certificates, privateKey: key)
      }
      #expect(error?.reason.contains("cannot be read as PEM") == true)
      #expect(error?.reason.contains("secret") == false)
    }
    #expect(throws: RPCError.self) { try TLSTrust.authorities("") }
    #expect(throws: RPCError.self) {
      try TLSIdentity(certificateFile: "/nonexistent/a.pem", privateKeyFile: "/nonexistent/b.pem")
    }
  }

  @Test func `a key that is not that of its certificate is refused before anything connects`()
    throws
  {
    let certificate = try authority.issue([.dnsName("one")]).certificate
    let other = try authority.issue([.dnsName("other")]).privateKey
    let mixed = try TLSIdentity(
      certificates: certificate.serializeAsPEM().pemString, privateKey: other)
    for make in [
      { _ = try ListenerSecurity.tls(identity: mixed) },
      { _ = try ConnectorSecurity.tls(identity: mixed) },
    ] {
      let error = #expect(throws: RPCError.self) { try make() }
      #expect(error?.reason.contains("the key is not the certificate's") == true)
    }
  }
}
