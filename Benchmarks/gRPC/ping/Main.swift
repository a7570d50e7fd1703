// grpc-ping server ADDRESS CASE         serves until it is ended, for 600 s at most
// grpc-ping client ADDRESS CASE COUNT   runs COUNT iterations of the case, each of which is
//
//   ping-sequential   a call, made when the one before has returned
//   ping-N            a call, with N of them under way at any time, on one connection
//   ping-echo         a call that takes 1 MiB and returns it
//
// ADDRESS is an IPv4 address and a port, as in 127.0.0.1:PORT; with port 0 the server takes a free one
// and prints "listening PORT". The messages are a number of 8 bytes, or bytes as they are: without
// protobuf, which would cost more.

import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Reporting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@main
enum Main {
  static func main() async {
    let arguments = CommandLine.arguments
    guard arguments.count > 3, let (host, port) = address(arguments[2]),
      let load = PingCase(arguments[3])
    else { usage() }
    do {
      switch arguments[1] {
      case "server" where arguments.count == 4:
        alarm(600)
        try await serve(host: host, port: port, for: load) { port in
          print("listening \(port)")
          fflush(nil)
        }
      case "client" where arguments.count == 5:
        guard let count = Int(arguments[4]), count > 0 else { usage() }
        try await withGRPCClient(transport: transport(host: host, port: port, for: load)) {
          let client = try await PingClient($0)
          let start = ContinuousClock.now
          let checksum = try await client.run(load, count)
          report(
            arguments[3], by: "grpc", iterations: count, elapsed: .now - start, checksum: checksum)
        }
      default: usage()
      }
    } catch { fail("grpc-ping: \(error)", code: 1) }
  }

  private static func transport(
    host: String, port: Int, for load: PingCase
  ) throws -> HTTP2ClientTransport.Posix {
    try HTTP2ClientTransport.Posix(
      target: .ipv4(address: host, port: port), transportSecurity: .plaintext,
      config: .defaults {
        if !load.isCoalescing { $0.connection.flushCoalescing = nil }
      })
  }

  private static func address(_ text: String) -> (host: String, port: Int)? {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let port = UInt16(parts[1]) else { return nil }
    return (String(parts[0]), Int(port))
  }

  private static func usage() -> Never {
    fail("usage: grpc-ping server ADDRESS CASE | grpc-ping client ADDRESS CASE COUNT", code: 64)
  }
}
