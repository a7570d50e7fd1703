import CapTP
import CapnProto
import CapnProtoRPC
import Synchronization

/// One end of a connection: what it sends and what it has to do waits until the simulation picks it.
final class SimulatedEnd: MessageTransport, ConnectionExecutor {
  private enum Sent {
    case frame([UInt8])
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

  init(drainsAtOnce: Bool) { self.drainsAtOnce = drainsAtOnce }

  func send(_ message: Ref<Message.Reader>) {
    let frame = message.flattened()
    state.withLock { state in
      if !state.isClosed { state.sent.append(.frame(frame)) }
    }
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

  /// Does the oldest piece of work.
  func runOne() {
    let work = state.withLock { state -> (@Sendable () -> Void)? in
      guard !state.work.isEmpty else { return nil }
      state.isRunning = true
      return state.work.removeFirst()
    }
    work?()
    state.withLock { $0.isRunning = false }
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
    end.state.withLock { $0.isRunning = true }
    defer { end.state.withLock { $0.isRunning = false } }
    switch sent {
    case nil: return "nothing"
    case .end:
      connection.disconnect(.disconnected("the peer closed the connection"))
      return "the end"
    case .frame(let frame):
      guard let message = try? MessageReader(flat: frame) else { return "an invalid frame" }
      let words = message.inWords
      connection.receive(message)
      return words
    }
  }
}
