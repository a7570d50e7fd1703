import CapTP
import CapnProto

/// A capability whose calls all fail with one error.
final class BrokenCapability: CallTarget {
  let error: RPCError

  init(_ error: RPCError) { self.error = error }

  /// What a null pointer stands for.
  static let null = BrokenCapability(.failed("called a null capability"))

  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    caller.finish(.failure(error))
    return nil
  }

  func ownStatus(notifying watcher: CapabilityWatcher?) -> OwnStatus { .known(.broken(error)) }

  /// Each call fails: there is nothing to share.
  var streamWriter: StreamWriter { StreamPlace().writer() }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    responder.returnError(error)
    return nil
  }
}
