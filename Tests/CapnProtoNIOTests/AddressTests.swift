import CapnProtoNIO
import CapnProtoRPC
import Testing

struct AddressTests {
  @Test(arguments: [
    ("localhost:4000", RPCAddress.tcp(host: "localhost", port: 4000)),
    ("[::1]:4000", .tcp(host: "::1", port: 4000)),
    ("unix:/run/capnp.sock", .unix(path: "/run/capnp.sock")),
  ])
  func `an address is read and written`(_ text: String, _ address: RPCAddress) throws {
    #expect(try RPCAddress(parsing: text) == address)
    #expect("\(address)" == text)
  }

  @Test(arguments: ["", "localhost", ":80", "localhost:70000", "localhost:-1", "unix:"])
  func `what is no address is refused`(_ text: String) {
    #expect(throws: RPCError.self) { try RPCAddress(parsing: text) }
  }

  @Test(arguments: ["ws://localhost:8080", "wss://localhost:8080", "http://localhost:80"])
  func `an address of the web is told from one of a socket`(_ text: String) {
    let error = #expect(throws: RPCError.self) { try RPCAddress(parsing: text) }
    #expect(error?.reason.contains("is no address of a socket") == true)
  }
}
