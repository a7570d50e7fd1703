import CapnProtoNIO
import CapnProtoRPC
import Dispatch
import Glibc

/// Serves a `Peer` to each connection until SIGTERM or SIGINT comes or the time is up. Returns the
/// exit status.
func serve(on address: RPCAddress, seconds: Int) async throws -> Int32 {
  let census = Census()
  let stop = StopSignal()
  if case .unix(let path) = address { unsafe unlink(path) }
  let listener = try await RPCListener.listen(on: address, limits: .interop) { incoming in
    Capability(Peer.Client.server(PeerObject(census, incoming.connection)))
  }
  switch listener.address {
  case .tcp(_, let port): say("listening \(port)")
  case .unix: say("listening \(address)")
  }

  var status: Int32 = 0
  if await !stop.comes(within: .seconds(seconds)) {
    complain("stopped after \(seconds) s")
    status = 2
  }
  await listener.close()
  if case .unix(let path) = address { unsafe unlink(path) }

  // Connections end in their own time; what is left then outlived them.
  for _ in 0..<100 where census.liveObjects != 0 { try await Task.sleep(for: .milliseconds(20)) }
  if census.liveObjects != 0 {
    complain("\(census.liveObjects) objects outlived their connections")
    status = 3
  }
  return status
}

/// SIGTERM or SIGINT, from when this is made.
struct StopSignal {
  private let stops: AsyncStream<Bool>
  private let continuation: AsyncStream<Bool>.Continuation
  private let sources: [any DispatchSourceSignal]

  init() {
    let (stops, continuation) = AsyncStream.makeStream(of: Bool.self)
    self.stops = stops
    self.continuation = continuation
    sources = [SIGTERM, SIGINT].map { number in
      // The default action would end the process before the source is told.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield(true) }
      source.resume()
      return source
    }
  }

  /// Whether a signal comes within the time.
  func comes(within time: Duration) async -> Bool {
    let timer = Task { [continuation] in
      try? await Task.sleep(for: time)
      continuation.yield(false)
    }
    defer { timer.cancel() }
    for await isSignal in stops { return isSignal }
    return false
  }
}
