import CapTP
import CapnProto

/// A call of this process that waits for its turn, or has had it.
package final class TurnCall: Sendable {
  private let call: DeliveredCall
  private let caller: any Caller
  private let target: any TurnTarget
  /// Whether whoever awaits the call may take its turn.
  let mayBeTaken: Bool
  private let cancellation = CancellationState()

  fileprivate init(_ call: DeliveredCall, _ caller: any Caller, _ target: any TurnTarget) {
    self.call = call
    self.caller = caller
    self.target = target
    mayBeTaken = target.answersAtOnce
  }

  /// Hands the call to its object, in its turn.
  func begin() {
    cancellation.follow(target.deliver(call, responder: CallerResponder(caller: caller)))
  }

  /// Begins the call at once if nothing else waits for the object.
  func takeTurn() { target.turns.runNow(self) }

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
