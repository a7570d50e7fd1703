import CapnProtoRPC

/// Where a vat takes connections over WebSocket (RFC 6455, section 3).
public struct WebSocketAddress: Hashable, Sendable {
  /// The name of the host, or its IP address without brackets.
  public var host: String
  /// The TCP port; 0 asks for a free one when listening.
  public var port: Int
  /// The path, with the query if there is one. It begins with a slash.
  public var path: String
  /// Whether there is TLS below.
  public var isSecure: Bool

  /// An address of its parts.
  public init(host: String, port: Int, path: String = "/", isSecure: Bool = false) {
    self.host = host
    self.port = port
    self.path = path
    self.isSecure = isSecure
  }

  /// The address in the text: `ws://HOST[:PORT][/PATH]` or, with TLS, `wss://...`. The ports are 80
  /// and 443 if none is given.
  ///
  /// - Throws: `RPCError` that says what was expected.
  public init(parsing text: String) throws {
    let rest: Substring
    if text.hasPrefix("ws://") {
      (rest, isSecure) = (text.dropFirst(5), false)
    } else if text.hasPrefix("wss://") {
      (rest, isSecure) = (text.dropFirst(6), true)
    } else {
      throw RPCError.failed("\"\(text)\" is no address: expected ws://HOST:PORT/PATH or wss://...")
    }
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let path = rest[authority.endIndex...]
    guard path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }) else {
      throw RPCError.failed("\"\(text)\" has a path that a request cannot have")
    }
    self.path = path.hasPrefix("/") ? String(path) : "/\(path)"
    // The colons of an IPv6 address are within brackets.
    let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
    if let colon = authority[bracket...].lastIndex(of: ":") {
      guard let port = UInt16(authority[authority.index(after: colon)...]) else {
        throw RPCError.failed("\"\(text)\" has a port that is no number up to 65535")
      }
      self.port = Int(port)
      host = String(authority[..<colon])
    } else {
      port = isSecure ? 443 : 80
      host = String(authority)
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard !host.isEmpty, host.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x40 }) else {
      throw RPCError.failed("\"\(text)\" lacks a host")
    }
  }

  /// The field `Host` of a request (RFC 9110, section 7.2).
  var hostField: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
  }
}

extension WebSocketAddress: CustomStringConvertible {
  /// The address as ``init(parsing:)`` takes it.
  public var description: String { "\(isSecure ? "wss" : "ws")://\(hostField)\(path)" }
}
