import CapnProtoRPC
import CapnProtoWebSocket
import Testing

struct WebSocketAddressTests {
  @Test(arguments: [
    ("ws://localhost:8080/rpc", "localhost", 8080, "/rpc", false, "ws://localhost:8080/rpc"),
    ("wss://example.org", "example.org", 443, "/", true, "wss://example.org/"),
    ("ws://example.org?a=b", "example.org", 80, "/?a=b", false, "ws://example.org/?a=b"),
    ("ws://[::1]:9/x?y=/z:1", "::1", 9, "/x?y=/z:1", false, "ws://[::1]:9/x?y=/z:1"),
    ("wss://[::1]/", "::1", 443, "/", true, "wss://[::1]/"),
  ])
  func `an address is read and written`(
    _ text: String, _ host: String, _ port: Int, _ path: String, _ isSecure: Bool,
    _ written: String
  ) throws {
    let address = try WebSocketAddress(parsing: text)
    #expect(
      address == WebSocketAddress(host: host, port: port, path: path, isSecure: isSecure))
    #expect("\(address)" == written)
    #expect(try WebSocketAddress(parsing: written) == address)
  }

  @Test(arguments: [
    "http://localhost/", "localhost:80", "ws://", "ws://:80/", "ws://host:x/", "ws://host:70000/",
    "ws://host/a b", "ws://host/#part", "ws://host/\r\nX: y", "ws://ho st/", "ws://user@host/",
  ])
  func `what is no address is refused`(_ text: String) {
    #expect(throws: RPCError.self) { try WebSocketAddress(parsing: text) }
  }
}
