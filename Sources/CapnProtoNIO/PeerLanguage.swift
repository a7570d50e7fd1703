import CapTP

/// What a peer speaks, as its first bytes tell.
///
/// A frame of messages ("Serialization Over a Stream" in the encoding specification) begins with a
/// number of segments that is small, so its third and fourth byte are zero: no text and no record of
/// TLS begins like that.
package enum PeerLanguage: Hashable, Sendable {
  /// Frames of messages.
  case messages
  /// A request or a response.
  case http
  /// A record of TLS (RFC 8446, section 5.1).
  case tls
  /// Text that is not HTTP, and how it begins.
  case text(String)
  /// None of these.
  case unknown

  /// More bytes than any decision needs.
  static let decisiveCount = 8

  /// What the peer speaks; nil if that takes more bytes than these.
  init?(firstBytes bytes: some Collection<UInt8>) {
    let head = Array(bytes.prefix(Self.decisiveCount))
    if Self.httpStarts.contains(where: { head.starts(with: $0) }) {
      self = .http
    } else if Self.httpStarts.contains(where: { $0.starts(with: head) }) {
      return nil
    } else if head.count >= 3, Self.isRecord(head) {
      self = .tls
    } else if head.count < 4 {
      return nil
    } else if head[2] == 0, head[3] == 0 {
      self = .messages
    } else if head.allSatisfy(Self.isText) {
      self = .text(String(decoding: head.filter { $0 >= 0x20 }, as: UTF8.self))
    } else {
      self = .unknown
    }
  }

  private static let httpStarts = [
    "HTTP/", "GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "CONNECT ", "OPTIONS ", "TRACE ",
    "PATCH ", "PRI ",
  ].map { Array($0.utf8) }

  /// Change of cipher, alert, handshake or application data, of version 1.0 and later.
  private static func isRecord(_ head: [UInt8]) -> Bool {
    (0x14...0x17).contains(head[0]) && head[1] == 3 && (1...4).contains(head[2])
  }

  private static func isText(_ byte: UInt8) -> Bool {
    (0x20...0x7e).contains(byte) || byte == 0x0d || byte == 0x0a || byte == 0x09
  }

  /// The language in the words of an error.
  fileprivate var name: String {
    switch self {
    case .messages: "Cap'n Proto RPC"
    case .http: "HTTP"
    case .tls: "TLS"
    case .text(let start): "another protocol, which begins with \"\(start)\""
    case .unknown: "an unknown protocol"
    }
  }
}

/// A peer that speaks something else than this side does.
struct ForeignPeer: Error, Hashable {
  /// What the peer speaks.
  let language: PeerLanguage
  /// What this side speaks at this point of the connection.
  let expected: PeerLanguage
  /// Whether the peer has connected to this side, and not the other way round.
  let isIncoming: Bool
  /// What the peer has said in an `Abort`, if it speaks Cap'n Proto.
  var abort: RPCError?

  /// The peer's language if it is another one than expected; nil for one that whoever expects its own
  /// can tell best what is wrong with.
  init?(_ language: PeerLanguage, expected: PeerLanguage, isIncoming: Bool) {
    guard language != expected, language != .unknown else { return nil }
    self.language = language
    self.expected = expected
    self.isIncoming = isIncoming
  }

  /// What calls fail with. The peer speaks tomorrow what it speaks today (`failed`), unless it has said
  /// something else.
  var error: RPCError {
    if let abort {
      return RPCError(
        abort.kindOfAbort,
        "the peer refused the connection in plain Cap'n Proto: \(abort.reason)")
    }
    return .failed(reason)
  }

  /// What this side is told.
  var reason: String {
    let words = "the peer speaks \(language.name), not \(service)"
    return isIncoming ? words : "\(words): \(Self.advice(client: expected, server: language))"
  }

  /// What the peer is told, if it can understand that.
  var reply: String {
    "this port speaks \(service), not \(language.name): "
      + Self.advice(client: language, server: expected)
  }

  /// What this side speaks, seen as a whole.
  private var service: String {
    switch expected {
    case .tls: "Cap'n Proto RPC over TLS"
    case .http: "Cap'n Proto RPC over WebSocket"
    case .messages, .text, .unknown: "Cap'n Proto RPC"
    }
  }

  /// What the client's side should do.
  private static func advice(client: PeerLanguage, server: PeerLanguage) -> String {
    switch (client, server) {
    case (_, .tls): "connect with TLS"
    // Whoever says so has not proven to be the server.
    case (.tls, _): "check host and port; connect without TLS only if this server has none"
    case (.messages, .http): "check host and port, or use a ws:// address if it serves WebSocket"
    case (.http, .messages): "connect with a Cap'n Proto client, and not with a ws:// address"
    default: "check host and port"
    }
  }
}
