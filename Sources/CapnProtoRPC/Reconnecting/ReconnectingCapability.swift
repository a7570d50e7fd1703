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

  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute? {
    reconnection.target().send(call, caller: caller)
  }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute? {
    reconnection.target().deliver(call, responder: responder)
  }

  func status(notifying watcher: CapabilityWatcher?) -> CapabilityStatus {
    reconnection.status(notifying: watcher)
  }
}
