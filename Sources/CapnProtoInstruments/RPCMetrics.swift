public import CapnProtoRPC
public import CoreMetrics
import Synchronization

/// Counts what happens on connections, for swift-metrics:
///
/// | label | kind | dimensions |
/// | --- | --- | --- |
/// | `capnp.rpc.connections` | meter: open ones | |
/// | `capnp.rpc.messages`, `capnp.rpc.bytes` | counters | `direction`: `sent`, `received` |
/// | `capnp.rpc.calls` | timer, from call to return | `side`: `client`, `server` |
/// | `capnp.rpc.failures` | counter of calls | `side`; `kind`: that of the `RPCError` |
/// | `capnp.rpc.aborts` | counter of connections | `direction` of the `Abort` |
///
/// A limit that is hit shows in failures of the kind `overloaded`, or in an abort that is sent. No
/// dimension holds what a peer may choose, so that a peer cannot fill the memory of a backend.
public final class RPCMetrics: ConnectionObserver {
  /// One way that messages go.
  private struct Way: Sendable {
    let messages, bytes, aborts: Counter
    /// Of calls whose returns go this way.
    let calls: Timer
    let failures: [RPCError.Kind: Counter]

    init(_ direction: MessageEvent.Direction, _ factory: any MetricsFactory) {
      func counter(_ label: String, _ dimensions: [(String, String)]) -> Counter {
        Counter(label: "capnp.rpc.\(label)", dimensions: dimensions, factory: factory)
      }
      let directions = [("direction", direction.rawValue)]
      let sides = [("side", direction == .received ? "client" : "server")]
      messages = counter("messages", directions)
      bytes = counter("bytes", directions)
      aborts = counter("aborts", directions)
      calls = Timer(label: "capnp.rpc.calls", dimensions: sides, factory: factory)
      failures = Dictionary(
        uniqueKeysWithValues: RPCError.Kind.allCases.map {
          ($0, counter("failures", sides + [("kind", "\($0)")]))
        })
    }
  }
  private let connections: Meter
  private let sent, received: Way
  private let calls = Mutex(OpenCalls<ContinuousClock.Instant>())

  /// Metrics of the factory.
  public init(factory: any MetricsFactory = MetricsSystem.factory) {
    connections = Meter(label: "capnp.rpc.connections", factory: factory)
    sent = Way(.sent, factory)
    received = Way(.received, factory)
  }

  /// Counts one more.
  public func connectionOpened(_ connection: ConnectionNumber) { connections.increment() }

  /// Counts one less.
  public func connectionClosed(_ connection: ConnectionNumber, reason: RPCError) {
    connections.decrement()
    calls.withLock { _ = $0.removeAll(of: connection) }
  }

  /// Counts the message, and the call that it ends.
  public func messagePassed(_ event: MessageEvent) {
    let way = event.direction == .sent ? sent : received
    way.messages.increment()
    way.bytes.increment(by: event.bytes)
    switch event.message.kind {
    case .call: calls.withLock { _ = $0.begin(event, event.time) }
    case .return:
      guard let start = calls.withLock({ $0.returned(event) }) else { return }
      way.calls.recordNanoseconds(Int64((event.time - start) / .nanoseconds(1)))
      if let kind = event.message.failure { way.failures[kind]?.increment() }
    case .finish: calls.withLock { _ = $0.finished(event) }
    case .abort: way.aborts.increment()
    default: break
    }
  }
}
