import CapTP
import CapnProto

extension TurnQueue {
  /// Makes a call of this process in a turn of its own, so that nothing runs on its caller's stack.
  ///
  /// - Returns: where it can be taken back, wherever it is by then.
  func send(
    _ call: consuming OutgoingCall, caller: any Caller,
    deliver: @escaping @Sendable (DeliveredCall, any Responder) -> CallRoute?
  ) -> CallRoute? {
    do {
      let call = try DeliveredCall(call)
      let cancellation = CallCancellation()
      execute(beginning: cancellation) {
        cancellation.follow(deliver(call, CallerResponder(caller: caller)))
      }
      return .local(cancellation)
    } catch {
      caller.finish(.failure(.failed("the call is invalid: \(error)")))
      return nil
    }
  }
}
