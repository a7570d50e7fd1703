import CapTP
import CapnProto
import Synchronization

/// A call of this process that waits for its turn, or has had it.
package final class TurnCall: Turn {
  /// What is called, and with what: a tuple, which can be taken apart without copies.
  private typealias Content = (call: DeliveredCall, caller: any Caller, target: any TurnTarget)
  /// There until its turn: a call that goes on after that does not keep its params and its object.
  private let content: Mutex<Content?>
  private let turns: TurnQueue
  /// Whether whoever awaits the call may take its turn.
  let mayBeTaken: Bool
  private let cancellation = CancellationState()

  fileprivate init(
    _ call: consuming DeliveredCall, _ caller: consuming any Caller,
    _ target: consuming any TurnTarget
  ) {
    turns = target.turns
    mayBeTaken = target.answersAtOnce
    content = Mutex((consume call, consume caller, consume target))
  }

  /// Hands the call to its object, in its turn.
  func begin() {
    guard let (call, caller, target) = content.withLock({ $0.take() }) else { return }
    let route = target.deliver(call, responder: CallerResponder(caller: consume caller))
    // A call that has ended has nothing to cancel.
    if let route { cancellation.follow(route) }
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
