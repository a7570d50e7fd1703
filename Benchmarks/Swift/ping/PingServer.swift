// Safety. Signal sets are handed to the C library for the length of each call only.

import CapnProtoNIO
import CapnProtoRPC

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Serves pings until the stream ends.
func serve(_ address: RPCAddress, until end: AsyncStream<Never>) async throws {
  let listener = try await RPCListener.listen(on: address, limits: .benchmark) { _ in
    Capability(Ping.Client.server(PingObject()))
  }
  switch listener.address {
  case .tcp(_, let port): print("listening \(port)")
  case .unix: print("listening \(listener.address)")
  }
  fflush(nil)
  for await _ in end {}
  await listener.close()
}

/// The signals that end a server: SIGTERM, and SIGALRM when its time is over.
struct EndSignals {
  private var signals = sigset_t()

  /// Holds the signals back from every thread that starts after this.
  init() {
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGTERM)
    unsafe sigaddset(&signals, SIGALRM)
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Waits for a signal, for so many seconds at most.
  mutating func wait(seconds: UInt32) {
    alarm(seconds)
    var signal: Int32 = 0
    unsafe sigwait(&signals, &signal)
  }
}
