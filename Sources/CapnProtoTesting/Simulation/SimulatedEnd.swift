import CapTP
import CapnProto
import CapnProtoRPC
import Synchronization

/// One end of a connection: what it sends and what it has to do waits until the simulation picks it.
final class SimulatedEnd: MessageTransport, ConnectionExecutor {
  private enum Sent {
    case frame([UInt8], [OpenDescriptor])
    case end
  }
  private struct State {
    var sent: [Sent] = []
    var work: [@Sendable () -> Void] = []
    var isRunning = false
    var isClosed = false
  }
  private let state = Mutex(State())
  /// Whether the end works off at once what a message brings, as an event loop does.
  private let drainsAtOnce: Bool

  let descriptorLimit: Int

  init(drainsAtOnce: Bool, carriesDescriptors: Bool) {
    self.drainsAtOnce = drainsAtOnce
    descriptorLimit = carriesDescriptors ? 16 : 0
  }

  func send(_ message: SharedMessage, with descriptors: [OpenDescriptor]) -> Bool {
    let frame = message.flattened()
    state.withLock { state in
      if !state.isClosed { state.sent.append(.frame(frame, descriptors)) }
    }
    return false
  }

  func close() {
    state.withLock { state in
      if !state.isClosed { state.sent.append(.end) }
      state.isClosed = true
    }
  }

  /// Loses what is under way; the peer only learns that the connection is over.
  func cut() {
    state.withLock { state in
      state.sent = [.end]
      state.isClosed = true
    }
  }

  func execute(_ work: @escaping @Sendable () -> Void) { state.withLock { $0.work.append(work) } }

  var isCurrent: Bool { drainsAtOnce && state.withLock { $0.isRunning } }

  var hasSent: Bool { state.withLock { !$0.sent.isEmpty } }

  var hasWork: Bool { state.withLock { !$0.work.isEmpty } }

  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Takes away the messages that wait.
  func takeSent() -> [[UInt8]] {
    state.withLock { state in
      defer { state.sent = [] }
      return state.sent.compactMap { if case .frame(let frame, _) = $0 { frame } else { nil } }
    }
  }

  /// Runs the body as a turn of this end.
  func takeTurn(_ body: () -> Void) {
    state.withLock { $0.isRunning = true }
    body()
    state.withLock { $0.isRunning = false }
  }

  /// Does the oldest piece of work.
  func runOne() {
    let work = state.withLock { $0.work.isEmpty ? nil : $0.work.removeFirst() }
    if let work { takeTurn(work) }
  }

  /// Gives the oldest message, or out of turn the next one, to the connection at the other end, as
  /// a turn of that end.
  ///
  /// - Returns: the message in words.
  func deliverOne(
    to connection: RPCConnection, at end: SimulatedEnd, outOfTurn: Bool = false
  ) -> String {
    let sent = state.withLock { state in
      state.sent.isEmpty ? nil : state.sent.remove(at: outOfTurn && state.sent.count > 1 ? 1 : 0)
    }
    switch sent {
    case nil: return "nothing"
    case .end:
      end.takeTurn {
        connection.disconnect(.disconnected("the peer closed the connection"))
      }
      return "the end"
    case .frame(let frame, let descriptors):
      guard let message = try? MessageReader(flat: frame) else { return "an invalid frame" }
      let words = "\(message.summary)"
      var box: MessageReader? = message
      end.takeTurn {
        if let message = box.take() { connection.receive(message, with: descriptors) }
      }
      return words
    }
  }
}
