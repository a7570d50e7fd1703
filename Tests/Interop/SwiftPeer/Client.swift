import CapnProto
import CapnProtoNIO
import CapnProtoRPC

/// An expectation that did not hold.
struct Failed: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// What a scenario has to hand: a connection to the server under test.
final class Client: Sendable {
  let address: RPCAddress
  /// Counts the objects that this client hosts.
  let own = Census()
  let connection: RPCConnection
  let peer: Peer.Client

  init(_ address: RPCAddress) async throws {
    self.address = address
    connection = try await RPCConnector.connect(to: address, limits: .interop)
    peer = connection.bootstrap()
  }

  func connect() async throws -> RPCConnection {
    try await RPCConnector.connect(to: address, limits: .interop)
  }

  func liveObjects() async throws -> UInt32 {
    try await peer.liveObjects().results { $0.count }
  }

  func cancelledCalls() async throws -> UInt32 {
    try await peer.cancelledCalls().results { $0.count }
  }

  /// Waits until what the server has to say by itself, as a Resolve, has arrived.
  func roundTrips() async throws {
    for _ in 0..<3 { _ = try await liveObjects() }
  }

  func newCallback() -> Callback.Client { .server(CallbackObject(own)) }
}

extension ConnectionLimits {
  /// Those of the package, with descriptors.
  static var interop: ConnectionLimits {
    var limits = ConnectionLimits()
    limits.descriptors = 64
    return limits
  }
}

/// Waits until the condition holds, asking again every 10 ms, for five seconds at most.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
  let end = ContinuousClock.now + .seconds(5)
  while try await !condition() {
    if ContinuousClock.now > end { throw Failed("never came true: \(what)") }
    try await Task.sleep(for: .milliseconds(10))
  }
}

func expect<Value: Equatable>(
  _ actual: Value, is expected: Value, line: Int = #line
) throws {
  if actual != expected { throw Failed("line \(line): expected \(expected), got \(actual)") }
}

/// The body must throw an error of the kind, with a reason that contains the words.
func expectFailure(
  _ kind: RPCError.Kind, _ words: String = "", line: Int = #line, _ body: () async throws -> Void
) async throws {
  do {
    try await body()
  } catch let error as RPCError {
    if error.kind == kind, words.isEmpty || error.reason.contains(words) { return }
    throw Failed("line \(line): expected \(kind) \"\(words)\", got \(error)")
  }
  throw Failed("line \(line): expected \(kind) \"\(words)\", got an answer")
}

/// Doubles and adds one; cannot stand thirteen.
final class CallbackObject: Callback.Server {
  private let life: Life

  init(_ census: Census) { life = Life(census) }

  func call(_ call: CallCall) async throws {
    let n = try call.params.n
    if n == 13 { throw RPCError.overloaded("thirteen is too much") }
    call.reply { $0.n = 2 * n + 1 }
  }
}
