import CapTP

// What a call can be told besides awaiting it, whether its types are known or not.

extension CallToken {
  /// Keeps the call until it has ended, though nobody awaits it.
  func detach(onError: (@Sendable (RPCError) -> Void)?) {
    // The call keeps the observer, and with it itself, until it has an outcome.
    call.whenFinished { [self] outcome in
      withExtendedLifetime(self) {}
      if let onError, case .failure(let error) = outcome { onError(error) }
    }
  }

  /// Ends the call: nobody wants its outcome any more.
  func cancel() { call.end(.failed("the call was cancelled")) }
}

extension RemoteCall where Results: ~Escapable {
  /// Lets the call go on until it has ended, without a task that awaits it.
  ///
  /// A call that is dropped is cancelled. One that is detached is not: use it where the outcome does not
  /// matter, as in a notification to a subscriber.
  ///
  /// - Parameter onError: called with the error if the call fails, on a thread of the runtime's: it must
  ///   not block. The end of the connection is an error as well.
  public func detach(onError: (@Sendable (RPCError) -> Void)? = nil) {
    token.detach(onError: onError)
  }

  /// Cancels the call: a task that awaits it, and calls that are made on its results from now on, get an
  /// error, and the peer is sent a `Finish` (rpc.capnp) so that the object can stop. Nothing happens if it has
  /// ended.
  public func cancel() { token.cancel() }
}

extension UntypedRemoteCall {
  /// Lets the call go on until it has ended, as ``RemoteCall/detach(onError:)`` does.
  ///
  /// - Parameter onError: called with the error if the call fails.
  public func detach(onError: (@Sendable (RPCError) -> Void)? = nil) {
    token.detach(onError: onError)
  }

  /// Cancels the call, as ``RemoteCall/cancel()`` does.
  public func cancel() { token.cancel() }
}
