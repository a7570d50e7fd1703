import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// The methods of a ping server.
enum PingMethod {
  /// Returns a number that is one more.
  static let ping = MethodDescriptor(fullyQualifiedService: "Ping", method: "Ping")
  /// Returns what it was given.
  static let echo = MethodDescriptor(fullyQualifiedService: "Ping", method: "Echo")
}

/// The service that a ping server offers.
struct PingService: RegistrableRPCService {
  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    router.registerHandler(
      forMethod: PingMethod.ping, deserializer: NumberCoding(), serializer: NumberCoding()
    ) { request, _ in
      let number = try await ServerRequest(stream: request).message
      return StreamingServerResponse(single: ServerResponse(message: number &+ 1))
    }
    router.registerHandler(
      forMethod: PingMethod.echo, deserializer: BytesCoding(), serializer: BytesCoding()
    ) { request, _ in
      let message = try await ServerRequest(stream: request).message
      return StreamingServerResponse(single: ServerResponse(message: message))
    }
  }
}

/// Serves pings for as long as the process lives; `listening` is called with the port.
func serve(
  host: String, port: Int, for load: PingCase, listening: @Sendable @escaping (Int) -> Void
) async throws {
  let transport = HTTP2ServerTransport.Posix(
    address: .ipv4(host: host, port: port), transportSecurity: .plaintext,
    config: .defaults {
      // As the client has it: by default the server takes less than 64 KiB before it is acknowledged.
      $0.http2.targetWindowSize = 8 << 20
      if !load.isCoalescing { $0.connection.flushCoalescing = nil }
    })
  let server = GRPCServer(transport: transport, services: [PingService()])
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await server.serve() }
    if let address = try await transport.listeningAddress.ipv4 { listening(address.port) }
    try await group.waitForAll()
  }
}
