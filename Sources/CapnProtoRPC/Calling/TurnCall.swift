import CapTP
import CapnProto
import Synchronization

/// A call of this process that waits for its turn, or has had it.
package final class TurnCall: Sendable {
  /// What is called, and with what.
  private struct Content {
    let call: DeliveredCall
    let caller: any Caller
    let target: any TurnTarget
  }
  /// There until its turn: a call that goes on after that does not keep its params and its object.
  private let content: Mutex<Content?>
  private let turns: TurnQueue
  /// Whether whoever awaits the call may take its turn.
  let mayBeTaken: Bool
  private let cancellation = CancellationState()

  fileprivate init(_ call: DeliveredCall, _ caller: any Caller, _ target: any TurnTarget) {
    content = Mutex(Content(call: call, caller: caller, target: target))
    turns = target.turns
    mayBeTaken = target.answersAtOnce
  }

  /// Hands the call to its object, in its turn.
  func begin() {
    guard let content = content.withLock({ $0.take() }) else { return }
    let responder = CallerResponder(caller: content.caller)
    cancellation.follow(content.target.deliver(content.call, responder: responder))
  }

  /// Begins the call at once if nothing else waits for the object.
  func takeTurn() { turns.runNow(self) }

  /// Cancels the call, wherever it is by then, unless it has ended.
  func cancel() { cancellation.cancel() }
}

/// A capability of this process whose calls take turns, so that none runs on its caller's stack.
protocol TurnTarget: CallTarget {
  var turns: TurnQueue { get }
  /// Whether each method answers before it returns. Then it may run on the thread of whoever awaits the
  /// call, who holds no locks there.
  var answersAtOnce: Bool { get }
}

extension TurnTarget {
  var answersAtOnce: Bool { false }

  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    do {
      let turn = TurnCall(try DeliveredCall(call), caller, self)
      turns.add(turn)
      return .turn(turn)
    } catch {
      caller.finish(.failure(.failed("the call is invalid: \(error)")))
      return nil
    }
  }
}
