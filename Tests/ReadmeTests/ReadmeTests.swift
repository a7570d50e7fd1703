import CapnProtoNIO
import Testing

@Test func `the README's server greets the README's client`() async throws {
  let listener = try await serve(on: .tcp(host: "127.0.0.1", port: 0))
  #expect(try await greeting(for: "World", from: listener.address) == "Hello, World!")
  await listener.close()
}
