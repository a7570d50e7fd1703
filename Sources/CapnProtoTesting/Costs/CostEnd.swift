import CapTP
import CapnProto
import CapnProtoRPC
import Synchronization

/// An end of a connection whose peer reads nothing: what is sent stays, as it does behind a slow peer.
final class CostEnd: MessageTransport, ConnectionExecutor {
  private struct State {
    var sent: [SharedMessage] = []
    var work: [@Sendable () -> Void] = []
    var isRunning = false
  }
  private let state = Mutex(State())
  private let meter: CostMeter

  init(_ meter: CostMeter) { self.meter = meter }

  func send(_ message: consuming SharedMessage, with descriptors: [OpenDescriptor]) -> Bool {
    let message = message
    state.withLock { $0.sent.append(message) }
    meter.sample()
    return false
  }

  func close() {}

  func execute(_ work: @escaping @Sendable () -> Void) { state.withLock { $0.work.append(work) } }

  var isCurrent: Bool { state.withLock { $0.isRunning } }

  var sentBytes: Int { state.withLock { $0.sent.reduce(0) { $0 + $1.frameBytes } } }

  /// Runs the body as a turn of this end.
  func takeTurn(_ body: () -> Void) {
    state.withLock { $0.isRunning = true }
    body()
    state.withLock { $0.isRunning = false }
  }

  /// Releases what was sent, whose capabilities refer to the connection and so to this end.
  func releaseSent() {
    let sent = state.withLock { state in
      defer { state.sent = [] }
      return state.sent
    }
    withExtendedLifetime(sent) {}
  }

  /// Does all work that there is, and what comes of it.
  func runAll() {
    while let work = state.withLock({ $0.work.isEmpty ? nil : $0.work.removeFirst() }) {
      takeTurn(work)
    }
  }
}
