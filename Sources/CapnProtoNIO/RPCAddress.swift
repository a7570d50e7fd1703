import CapnProtoRPC
import NIOCore

/// Where a vat listens.
public enum RPCAddress: Hashable, Sendable {
  /// A TCP port of a host. Port 0 asks for a free one when listening.
  case tcp(host: String, port: Int)
  /// A Unix socket at a path.
  case unix(path: String)

  /// The address in the text: `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`.
  ///
  /// - Throws: `RPCError` that says what was expected.
  public init(parsing text: String) throws {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty else { throw RPCError.failed("\"\(text)\" lacks a path after unix:") }
      do { _ = try UnixSocketPath(path) } catch {
        throw RPCError.failed("\"\(text)\" is not an address: \(error.reason)")
      }
      self = .unix(path: path)
      return
    }
    guard !text.contains("://") else {
      throw RPCError.failed(
        "\"\(text)\" is no address of a socket: expected HOST:PORT or unix:PATH; "
          + "ws:// and wss:// are addresses of the library CapnProtoWebSocket")
    }
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...])
    else {
      throw RPCError.failed("\"\(text)\" is no address: expected HOST:PORT or unix:PATH")
    }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty else { throw RPCError.failed("\"\(text)\" lacks a host before the port") }
    self = .tcp(host: String(host), port: Int(port))
  }

  /// What to do if it is in use, for an error's words.
  var wayOut: String {
    switch self {
    case .tcp:
      "; end the program that listens there, choose another port, or port 0 for any that is free"
    case .unix: "; end the program that listens there, or choose another path"
    }
  }

  /// Fails unless the address can be connected to, or be listened on.
  ///
  /// - Throws: `RPCError` of kind `failed`: another attempt would fail as well.
  func check(forListening isListening: Bool) throws(RPCError) {
    switch self {
    case .tcp(_, let port):
      let range = isListening ? 0...65535 : 1...65535
      guard range.contains(port) else {
        throw .failed("the port is \(port), and must be \(range.lowerBound) to \(range.upperBound)")
      }
    case .unix(let path): _ = try UnixSocketPath(path)
    }
  }

  /// Whether descriptors go along with the messages of a connection: they do over a bare Unix socket,
  /// if any may come.
  func carriesDescriptors(_ limits: ConnectionLimits, _ layers: [any ChannelLayer]) -> Bool {
    if case .unix = self { limits.descriptors > 0 && layers.isEmpty } else { false }
  }

  init?(_ address: SocketAddress?) {
    guard let address else { return nil }
    if let path = address.pathname, !path.isEmpty {
      self = .unix(path: path)
    } else if let host = address.ipAddress, let port = address.port {
      self = .tcp(host: host, port: port)
    } else {
      return nil
    }
  }
}

extension RPCAddress: CustomStringConvertible {
  /// The address as ``init(parsing:)`` takes it.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}
