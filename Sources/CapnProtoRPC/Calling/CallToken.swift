public import CapTP
public import CapnProto

/// Held by whoever may still want a call's results: the last one to let go drops the call.
@usableFromInline
package final class CallToken: Sendable {
  /// Apart, as the class's own `deinit` would count the call to drop it, with each call that ends.
  private struct Interest: ~Copyable {
    let call: PendingCall

    deinit { call.drop() }
  }
  private let interest: Interest
  package var call: PendingCall { interest.call }

  package init(_ call: consuming PendingCall) { interest = Interest(call: call) }

  /// The outcome, once it is there.
  ///
  /// - Throws: `RPCError` if the call failed; `CancellationError` if the task is cancelled, which
  ///   drops the call.
  @inlinable @inline(__always)
  nonisolated(nonsending) func outcome() async throws -> SharedMessage {
    let (outcome, waiter) = outcomeTakingTurn(on: #isolation)
    if let outcome { return try outcome.get() }
    return try await self.outcome(for: waiter)
  }

  @usableFromInline
  func outcomeTakingTurn(on isolation: (any Actor)?) -> (Outcome?, waiter: UInt64) {
    interest.call.outcomeTakingTurn(on: isolation)
  }

  @usableFromInline
  nonisolated(nonsending) func outcome(for waiter: UInt64) async throws -> SharedMessage {
    try await interest.call.outcome(for: waiter)
  }
}
