import CapTP
import CapnProto

/// A call of this process that waits for its turn, or has had it.
package final class TurnCall: Sendable {
  private let turns: TurnQueue
  /// Whether whoever awaits the call may take its turn.
  let mayBeTaken: Bool
  private let cancellation = CancellationState()

  fileprivate init(_ target: any TurnTarget) {
    turns = target.turns
    mayBeTaken = target.answersAtOnce
  }

  /// What is called, and with what. It is kept by the queue alone: a call that goes on after its turn
  /// does not keep its params and its object.
  struct Content: Sendable {
    fileprivate let call: DeliveredCall
    fileprivate let caller: any Caller
    fileprivate let target: any TurnTarget
  }

  /// Hands the call to its object, in its turn.
  func begin(_ content: Content) {
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
      let content = TurnCall.Content(call: try DeliveredCall(call), caller: caller, target: self)
      let turn = TurnCall(self)
      turns.add(turn, content)
      return .turn(turn)
    } catch {
      caller.finish(.failure(.failed("the call is invalid: \(error)")))
      return nil
    }
  }
}
