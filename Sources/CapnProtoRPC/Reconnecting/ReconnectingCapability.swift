import CapTP
import CapnProto

/// A reference to the object of a client that reconnects.
final class ReconnectingCapability: CallTarget {
  private let reconnection: Reconnection
  private let stream = StreamPlace()
  /// Of the reference and not of one connection: a stream that lost a call must not seem whole.
  var streamWriter: StreamWriter { stream.writer(streamLimits) }
  var streamLimits: StreamLimits { reconnection.streamLimits }
  var callTimeout: Duration? { reconnection.callTimeout }

  init(_ reconnection: Reconnection) { self.reconnection = reconnection }

  func next(for purpose: ChainPurpose) -> (any CallTarget)? {
    switch purpose {
    case .send, .deliver: reconnection.target()
    case .identity, .limits, .release: nil
    }
  }

  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    passSend(call, caller: caller)
  }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    pass(call, responder: responder)
  }

  func ownStatus(notifying watcher: CapabilityWatcher?) -> OwnStatus {
    .known(reconnection.status(notifying: watcher))
  }
}
