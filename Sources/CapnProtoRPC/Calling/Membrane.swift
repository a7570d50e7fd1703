// A membrane lies between two parties. Whatever capability crosses it, in either direction, in
// params or in results, arrives as a wrapper that belongs to the membrane; one that goes back to
// where it came from is unwrapped. So nothing got through the membrane outlives its revocation.
//
// The wrappers refer to their targets by number, in a table of the membrane: to revoke is to empty
// the table, which lets go of every object at once, however long wrappers are still held.

import CapTP
import CapnProto
import Synchronization

/// A border that capabilities cross, that can have a say in each call, and that can be closed for
/// good.
public final class Membrane: Sendable {
  /// What becomes of each call that is about to cross, in either direction. It is asked at once
  /// before the call is handed on, in the order of the calls on one object, and must not wait.
  public typealias Policy = @Sendable (MembraneCrossing) -> MembraneDecision

  /// Where an object lives.
  enum Side {
    case inside, outside
    var other: Side { self == .inside ? .outside : .inside }
  }

  private struct State {
    var failure: RPCError?
    var targets: [UInt64: any CallTarget] = [:]
    var calls: [UInt64: MembraneCall] = [:]
    var watchers: [ObjectIdentifier: CapabilityWatcher] = [:]
    var lastID: UInt64 = 0

    mutating func nextID() -> UInt64 {
      lastID += 1
      return lastID
    }
  }
  private let state = Mutex(State())
  private let policy: Policy?

  /// A membrane that lets calls through, as long as it is open.
  ///
  /// - Parameter policy: has a say in each call; nil lets all through.
  public init(policy: Policy? = nil) { self.policy = policy }

  /// The client's object, as the outside may hold it.
  public func wrap<Client: CapabilityClient>(_ client: Client) -> Client {
    Client(_capability: wrap(client._capability))
  }

  /// The object, as the outside may hold it.
  public func wrap(_ capability: Capability) -> Capability {
    Capability(cross(capability.target, from: .inside))
  }

  /// An object of the outside, as the inside may hold it.
  public func wrap(outside capability: Capability) -> Capability {
    Capability(cross(capability.target, from: .outside))
  }

  /// Closes the membrane: calls that wait and all later ones fail with the error, on both sides,
  /// and every object is let go of. Only the first time counts.
  ///
  /// - Parameters:
  ///   - error: why calls fail from now on.
  ///   - isSpared: whether a call of the method that is in progress may still return. What it
  ///     returns cannot be called either.
  public func revoke(
    _ error: RPCError,
    sparing isSpared: (_ interfaceID: UInt64, _ methodID: UInt16) -> Bool = {
      _, _ in false
    }
  ) {
    let (targets, calls, watchers) = state.withLock { state in
      guard state.failure == nil else {
        return ([any CallTarget](), [MembraneCall](), [CapabilityWatcher]())
      }
      state.failure = error
      defer {
        state.targets = [:]
        state.calls = [:]
        state.watchers = [:]
      }
      return (
        Array(state.targets.values), Array(state.calls.values), Array(state.watchers.values)
      )
    }
    for call in calls where !isSpared(call.interfaceID, call.methodID) { call.fail(error) }
    for watcher in watchers { watcher.referenceChanged() }
    // Objects go when nothing is locked: what they do at their end is theirs.
    withExtendedLifetime(targets) {}
  }

  /// Why the membrane is closed; nil while it is open.
  public var failure: RPCError? { state.withLock { $0.failure } }

  /// What a capability of one side is on the other.
  func cross(_ hook: any CapabilityHook, from side: Side) -> any CallTarget {
    if let wrapper = hook as? MembraneCapability, wrapper.membrane === self, wrapper.side != side {
      return target(wrapper.id)
    }
    guard let target = hook as? any CallTarget else { return BrokenCapability.null }
    return target.wrapped { wrapperCount in
      let added: Result<UInt64, RPCError> = state.withLock { state in
        if let failure = state.failure { return .failure(failure) }
        let id = state.nextID()
        state.targets[id] = target
        return .success(id)
      }
      switch added {
      case .success(let id):
        return MembraneCapability(membrane: self, id: id, side: side, wrapperCount: wrapperCount)
      case .failure(let error): return BrokenCapability(error)
      }
    }
  }

  func target(_ id: UInt64) -> any CallTarget {
    state.withLock { state in
      state.targets[id]
        ?? BrokenCapability(state.failure ?? .failed("the capability was released"))
    }
  }

  func release(_ id: UInt64) {
    releaseChain(state.withLock { $0.targets.removeValue(forKey: id) })
  }

  /// What a call is to be made on: the wrapped object, or another one if the policy says so.
  func target(_ id: UInt64, of crossing: MembraneCrossing) throws(RPCError) -> any CallTarget {
    switch policy?(crossing) ?? .pass {
    case .pass: return target(id)
    case .refuse(let error): throw error
    case .redirect(let capability): return capability.target
    }
  }

  /// What the wrapper of the number is: what it wraps, unless the membrane is closed.
  func status(_ id: UInt64, notifying watcher: CapabilityWatcher?) -> OwnStatus {
    let target = state.withLock { state -> (any CallTarget)? in
      guard state.failure == nil, let target = state.targets[id] else { return nil }
      if let watcher { state.watchers[ObjectIdentifier(watcher)] = watcher }
      return target
    }
    guard let target else {
      return .known(.broken(failure ?? .failed("the capability was released")))
    }
    watcher?.whenForgotten { [weak self, id = watcher.map { ObjectIdentifier($0) }] in
      guard let id else { return }
      _ = self?.state.withLock { $0.watchers.removeValue(forKey: id) }
    }
    return .that(target)
  }

  /// Notes a call that crosses; nil, and why, if it may not.
  func begin(_ call: MembraneCall) -> Result<UInt64, RPCError> {
    state.withLock { state in
      if let failure = state.failure { return .failure(failure) }
      let id = state.nextID()
      state.calls[id] = call
      return .success(id)
    }
  }

  func end(_ id: UInt64) {
    let call = state.withLock { $0.calls.removeValue(forKey: id) }
    withExtendedLifetime(call) {}
  }
}
