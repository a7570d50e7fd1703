package import CapTP
package import CapnProto
package import Logging

/// Where the caller can take back a call that it made.
package enum CallRoute: Sendable {
  /// It went to the peer of a connection.
  case remote(RPCConnection, QuestionID, any Caller)
  /// It is handled by this process.
  case local(CallCancellation)
  /// It waits for its turn in this process, or has had it.
  case turn(TurnCall)
}

extension CallRoute {
  /// Takes the call back: nobody wants its outcome any more.
  func cancel() {
    switch self {
    case .local(let cancellation): cancellation.cancel()
    case .turn(let call): call.cancel()
    case .remote(let connection, let question, let caller):
      connection.dropQuestion(question, caller: caller)
      caller.wasDropped()
    }
  }

  /// As ``cancel()``, where the call may have become another one, which is cancelled in turn, and so on.
  func cancelNested() {
    if case .remote = self { cancel() } else { NestedCompletion.run { self.cancel() } }
  }

  /// Takes the call back, and fails with the error what was pipelined on it.
  func fail(_ error: RPCError) {
    switch self {
    case .local, .turn: cancelNested()
    case .remote(let connection, let question, let caller):
      connection.failQuestion(question, error, caller: caller)
    }
  }
}

extension Caller {
  /// The engine forgets a caller that drops its call; where the call came from is still owed an
  /// answer.
  func wasDropped() {
    (self as? ForwardingCaller)?.finish(.failure(.failed("the call was cancelled")))
  }
}

extension Caller {
  /// The call whose outcome the caller takes; nil for one that came from elsewhere.
  var pendingCall: PendingCall? {
    switch self {
    case let call as PendingCall: call
    case let waiting as WaitingCaller: waiting.caller.pendingCall
    case let forwarding as ForwardingCaller: forwarding.responder.pendingCall
    default: nil
    }
  }
}

extension Caller {
  /// How often the call was passed on within this process.
  fileprivate var hops: Int {
    switch self {
    case let forwarding as ForwardingCaller: forwarding.hops
    case let waiting as WaitingCaller: waiting.caller.hops
    default: 0
    }
  }
}

extension Responder {
  /// The call that is answered, if it was made in this process.
  var pendingCall: PendingCall? { (self as? CallerResponder)?.caller.pendingCall }
}

/// A capability that can be called: of this process, behind a connection, promised, or broken.
package protocol CallTarget: CapabilityHook {
  /// Makes a call; the caller is told the outcome once, perhaps before this returns.
  ///
  /// - Returns: where it can be taken back; nil if it has ended, or is about to.
  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute?
  /// Passes on a call that came from elsewhere; the responder gets the outcome once.
  ///
  /// - Returns: as of `send`.
  func deliver(_ call: consuming DeliveredCall, responder: any Responder) -> CallRoute?
  /// What the capability is, as far as it knows by itself. If that may change, the watcher is notified
  /// when it does.
  func ownStatus(notifying watcher: CapabilityWatcher?) -> OwnStatus
  /// The capability that this one passes on to as it is; `nil` if it is the end of the chain.
  func next(for purpose: ChainPurpose) -> (any CallTarget)?
  /// The number of wrappers around an object that this is: itself, what it wraps, and so on.
  var wrapperCount: Int { get }
  /// How long a call may take that was not given a time of its own.
  var callTimeout: Duration? { get }
  /// What a stream to the capability may have on its way, as far as that is known.
  var streamLimits: StreamLimits { get }
  /// The stream that the streaming calls on the reference are.
  var streamWriter: StreamWriter { get }
  /// The descriptor that goes along with it, as far as that is known without asking a connection.
  var attachedDescriptor: OpenDescriptor? { get }
}

extension CallTarget {
  /// An object, permanently.
  package func ownStatus(notifying watcher: CapabilityWatcher?) -> OwnStatus { .known(.settled) }

  /// As long as it likes.
  package var callTimeout: Duration? { nil }

  /// None.
  package var attachedDescriptor: OpenDescriptor? { nil }

  /// As much as suits most.
  package var streamLimits: StreamLimits { StreamLimits() }
}

/// Where the outcome of a call goes.
package protocol Responder: Sendable {
  /// How often the call was passed on within this process.
  var hops: Int { get }
  /// Takes results: a message whose root is a `Return` with them.
  func returnResults(_ message: consuming MessageBuilder)
  /// Takes an error.
  func returnError(_ error: RPCError)
  /// Where errors are logged that the caller does not see.
  var logger: Logger { get }
  /// Notes that the call is copied to be passed on, and of how many words the copy is.
  func noteCopy(words: Int)
}

extension Responder {
  /// A log of the process, as no connection is known.
  package var logger: Logger { Logger(label: "capnp.rpc") }

  /// Does nothing: the call was made in this process.
  package func noteCopy(words: Int) {}
}

extension Responder {
  /// None.
  package var hops: Int { 0 }
}

/// A responder for a caller in this process.
package struct CallerResponder: Responder {
  let caller: any Caller

  package init(caller: consuming any Caller) { self.caller = caller }

  package var hops: Int { caller.hops }

  package func returnResults(_ message: consuming MessageBuilder) {
    do {
      caller.finish(.success(try SharedMessage(message.freeze())))
    } catch {
      caller.finish(.failure(.failed("the results are invalid: \(error)")))
    }
  }

  package func returnError(_ error: RPCError) { caller.finish(.failure(error)) }
}

/// A caller that passes the outcome on to where the call came from.
final class ForwardingCaller: Caller {
  let responder: any Responder
  let hops: Int

  init(_ responder: any Responder) {
    self.responder = responder
    hops = responder.hops + 1
  }

  func finish(_ outcome: Outcome) {
    switch outcome {
    case .failure(let error): responder.returnError(error)
    case .success(let message):
      do {
        try responder.returnResults(message.copiedResults())
      } catch {
        responder.returnError(.failed("the results cannot be passed on: \(error)"))
      }
    }
  }
}
