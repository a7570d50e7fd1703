import CapTP
import CapnProto
import Testing

@testable import CapnProtoNIO

struct PeerLanguageTests {
  private static let helloRecord: [UInt8] = [0x16, 3, 1, 2, 0, 1, 0, 1]

  @Test(arguments: [
    (Array("GET / HTTP/1.1\r\n".utf8), PeerLanguage.http),
    (Array("OPTIONS * HTTP/1.1\r\n".utf8), .http),
    (Array("PRI * HTTP/2.0\r\n".utf8), .http),
    (Array("HTTP/1.1 400 Bad Request\r\n".utf8), .http),
    (helloRecord, .tls),
    // A ServerHello, and an alert, which is all that a server may send: 7 bytes.
    ([0x16, 3, 3, 0, 0x7a, 2, 0, 0], .tls),
    ([0x15, 3, 3, 0, 2, 2, 0x46], .tls),
    (Array("SSH-2.0-OpenSSH".utf8), .text("SSH-2.0-")),
    (Array("220 mail ESMTP\r\n".utf8), .text("220 mail")),
    // One segment of two words, and 512 segments.
    ([0, 0, 0, 0, 2, 0, 0, 0], .messages),
    ([0xff, 1, 0, 0, 1, 0, 0, 0], .messages),
    // Old TLS has version 3.0, and so has a frame of 790 segments: which it is, the decoder says.
    ([0x16, 3, 0, 0, 1, 0, 0, 0], .messages),
    ([0xff, 0xff, 0xff, 0xff], .unknown),
    ([0x80, 0x2e, 1, 3, 1], .unknown),
  ])
  func `first bytes tell what a peer speaks, however they are cut`(
    _ bytes: [UInt8], _ expected: PeerLanguage
  ) throws {
    #expect(PeerLanguage(firstBytes: bytes) == expected)
    // What fewer bytes say is the same, or that they are too few.
    for count in 0..<bytes.count {
      switch PeerLanguage(firstBytes: bytes.prefix(count)) {
      case nil: continue
      case .text(let start)?:
        guard case .text(let full) = expected else {
          Issue.record("\(count) bytes are taken for text")
          continue
        }
        #expect(full.hasPrefix(start))
      case let early?: #expect(early == expected, "with \(count) bytes")
      }
    }
  }

  @Test func `eight bytes always decide`() {
    var generator = SplitMix(state: 7)
    for _ in 0..<20_000 {
      // Bytes that are likely to be nearly something.
      let likely: [UInt8] = Array("GETPUHADOSR /\r\n".utf8) + [0x16, 0x15, 3, 1, 0, 0xff]
      let bytes = (0..<PeerLanguage.decisiveCount).map { _ in
        likely[Int(generator.next() % UInt64(likely.count))]
      }
      #expect(PeerLanguage(firstBytes: bytes) != nil, "\(bytes)")
    }
  }

  @Test func `every first frame within the limits is taken for messages`() throws {
    for segments in [1, 2, 256, 257, FrameLimits.standard.segments] {
      let count = UInt32(segments - 1)
      let head = (0..<4).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) }
      #expect(PeerLanguage(firstBytes: head + [0xff, 0xff, 0x7f, 0]) == .messages)
    }
  }

  @Test func `both sides are told what is wrong and what to do`() throws {
    let plainToTLS = try #require(ForeignPeer(.tls, expected: .messages, isIncoming: false))
    #expect(
      plainToTLS.reason == "the peer speaks TLS, not Cap'n Proto RPC: connect with TLS")
    let tlsToPlain = try #require(ForeignPeer(.messages, expected: .tls, isIncoming: false))
    #expect(
      tlsToPlain.reason
        == "the peer speaks Cap'n Proto RPC, not Cap'n Proto RPC over TLS: "
        + "check host and port; connect without TLS only if this server has none")
    let browser = try #require(ForeignPeer(.http, expected: .messages, isIncoming: true))
    #expect(browser.reason == "the peer speaks HTTP, not Cap'n Proto RPC")
    #expect(browser.reply.hasPrefix("this port speaks Cap'n Proto RPC, not HTTP: "))
    let stranger = try #require(ForeignPeer(.text("SSH-2.0-"), expected: .tls, isIncoming: false))
    #expect(stranger.reason.contains("\"SSH-2.0-\""))
    #expect(ForeignPeer(.messages, expected: .messages, isIncoming: true) == nil)
    #expect(ForeignPeer(.unknown, expected: .messages, isIncoming: true) == nil)
  }
}

/// Random numbers that are the same in each run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
