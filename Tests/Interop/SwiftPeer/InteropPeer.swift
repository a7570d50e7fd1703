// The Swift side of the interop tests: the same command line and the same scenarios as the C++ peer
// beside it.

import CapnProtoNIO
import CapnProtoRPC
import Glibc

@main
struct InteropPeer {
  static let usage = """
    usage: interop-peer server ADDRESS [SECONDS]   serve, for 600 s at most or as given
           interop-peer client ADDRESS [NAME...]   run the scenarios against a server
           interop-peer list                       print the scenarios' names
    ADDRESS is unix:PATH or 127.0.0.1:PORT; port 0 takes a free one.
    """

  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      switch (arguments.first, arguments.count) {
      case ("server", 2...):
        let seconds = arguments.count > 2 ? Int(arguments[2]) : 600
        guard let seconds else { break }
        exit(try await serve(on: RPCAddress(parsing: arguments[1]), seconds: seconds))
      case ("client", 2...):
        // Each scenario ends by itself; this is for what does not wait.
        alarm(180)
        let address = try RPCAddress(parsing: arguments[1])
        exit(await drive(address, names: Set(arguments.dropFirst(2))))
      case ("list", _):
        for scenario in scenarios { say(scenario.name) }
        exit(0)
      default: break
      }
    } catch {
      complain("\(error)")
      exit(1)
    }
    complain(usage)
    exit(64)
  }
}

/// Prints a line at once, also where the output is no terminal.
func say(_ line: String) {
  print(line)
  // Null stands for all streams.
  fflush(nil)
}

/// Prints a line of complaint.
func complain(_ line: String) {
  let bytes = Array("interop-peer: \(line)\n".utf8)
  // The array is there for the length of the call.
  _ = unsafe write(2, bytes, bytes.count)
}
