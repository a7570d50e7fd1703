// A membrane lies between two parties. Whatever capability crosses it, in either direction, in
// params or in results, arrives as a wrapper that belongs to the membrane; one that goes back to
// where it came from is unwrapped. So nothing got through the membrane outlives its revocation.
//
// The wrappers refer to their targets by number, in a table of the membrane: to revoke is to empty
// the table, which lets go of every object at once, however long wrappers are still held.

import CapTP
import CapnProto
import Synchronization

/// A border that capabilities cross and that can be closed for good.
public final class Membrane: Sendable {
  /// Where an object lives.
  enum Side { case inside, outside }

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

  /// A membrane that lets calls through.
  public init() {}

  /// The client's object, as the outside may hold it.
  public func wrap<Client: CapabilityClient>(_ client: Client) -> Client {
    Client(_capability: wrap(client._capability))
  }

  /// The object, as the outside may hold it.
  public func wrap(_ capability: Capability) -> Capability {
    Capability(cross(capability.target, from: .inside))
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
      let failing = state.calls.values.filter { !isSpared($0.interfaceID, $0.methodID) }
      return (Array(state.targets.values), failing, Array(state.watchers.values))
    }
    for call in calls { call.fail(error) }
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
    let added: Result<UInt64, RPCError> = state.withLock { state in
      if let failure = state.failure { return .failure(failure) }
      let id = state.nextID()
      state.targets[id] = target
      return .success(id)
    }
    switch added {
    case .success(let id): return MembraneCapability(membrane: self, id: id, side: side)
    case .failure(let error): return BrokenCapability(error)
    }
  }

  fileprivate func target(_ id: UInt64) -> any CallTarget {
    state.withLock { state in
      state.targets[id]
        ?? BrokenCapability(state.failure ?? .failed("the capability was released"))
    }
  }

  fileprivate func release(_ id: UInt64) {
    let target = state.withLock { $0.targets.removeValue(forKey: id) }
    withExtendedLifetime(target) {}
  }

  /// What the wrapper of the number is: what it wraps, unless the membrane is closed.
  fileprivate func status(_ id: UInt64, notifying watcher: CapabilityWatcher?) -> CapabilityStatus {
    let target = state.withLock { state -> (any CallTarget)? in
      guard state.failure == nil, let target = state.targets[id] else { return nil }
      if let watcher { state.watchers[ObjectIdentifier(watcher)] = watcher }
      return target
    }
    guard let target else { return .broken(failure ?? .failed("the capability was released")) }
    watcher?.whenForgotten { [weak self, id = watcher.map { ObjectIdentifier($0) }] in
      guard let id else { return }
      _ = self?.state.withLock { $0.watchers.removeValue(forKey: id) }
    }
    return target.status(notifying: watcher)
  }

  /// Notes a call that crosses; nil, and why, if it may not.
  fileprivate func begin(_ call: MembraneCall) -> Result<UInt64, RPCError> {
    state.withLock { state in
      if let failure = state.failure { return .failure(failure) }
      let id = state.nextID()
      state.calls[id] = call
      return .success(id)
    }
  }

  fileprivate func end(_ id: UInt64) {
    let call = state.withLock { $0.calls.removeValue(forKey: id) }
    withExtendedLifetime(call) {}
  }
}

/// An object of one side, as the other side holds it.
final class MembraneCapability: CallTarget {
  let membrane: Membrane
  let id: UInt64
  /// Where the object lives.
  let side: Membrane.Side
  /// Calls of this process, so that none runs on its caller's stack.
  private let turns = TurnQueue()

  init(membrane: Membrane, id: UInt64, side: Membrane.Side) {
    self.membrane = membrane
    self.id = id
    self.side = side
  }

  deinit { membrane.release(id) }

  func status(notifying watcher: CapabilityWatcher?) -> CapabilityStatus {
    membrane.status(id, notifying: watcher)
  }

  func send(_ call: consuming OutgoingCall, caller: any Caller) -> CallRoute {
    let cancellation = CallCancellation()
    do {
      let call = try DeliveredCall(call)
      turns.execute {
        let route = self.deliver(call, responder: CallerResponder(caller: caller))
        cancellation.start { route.cancel() }
      }
    } catch {
      caller.finish(.failure(.failed("the call is invalid: \(error)")))
    }
    return .local(cancellation)
  }

  func deliver(_ call: DeliveredCall, responder: any Responder) -> CallRoute {
    let cancellation = CallCancellation()
    do {
      let target = membrane.target(id)
      let body = try call.message.reader.call
      let crossing = MembraneCall(
        membrane, from: side, body.interfaceId, body.methodId, responder: responder)
      let params = try call.copied()
      params.message.mapCapabilities {
        membrane.cross($0, from: side == .inside ? .outside : .inside)
      }
      let delivered = try DeliveredCall(params)
      try crossing.begin()
      let route = target.deliver(delivered, responder: crossing)
      crossing.started(route)
      cancellation.start { crossing.fail(.failed("the call was cancelled")) }
    } catch let error as RPCError {
      responder.returnError(error)
    } catch {
      responder.returnError(.failed("the call cannot be passed on: \(error)"))
    }
    return .local(cancellation)
  }
}

/// A call that crosses a membrane, until its outcome has crossed back.
final class MembraneCall: Responder {
  private struct State {
    var responder: (any Responder)?
    var route: CallRoute?
    var id: UInt64?
  }
  private let membrane: Membrane
  /// Where the called object lives, and its results come from.
  private let side: Membrane.Side
  let interfaceID: UInt64
  let methodID: UInt16
  private let state: Mutex<State>

  init(
    _ membrane: Membrane, from side: Membrane.Side, _ interfaceID: UInt64, _ methodID: UInt16,
    responder: any Responder
  ) {
    self.membrane = membrane
    self.side = side
    self.interfaceID = interfaceID
    self.methodID = methodID
    state = Mutex(State(responder: responder))
  }

  func begin() throws(RPCError) {
    let id = try membrane.begin(self).get()
    state.withLock { $0.id = id }
  }

  func started(_ route: CallRoute) {
    let isOver = state.withLock { state in
      if state.responder != nil { state.route = route }
      return state.responder == nil
    }
    // It may have failed meanwhile, and then nobody wants its outcome.
    if isOver { route.cancel() }
  }

  func returnResults(_ message: consuming MessageBuilder) {
    guard let responder = finish().responder else { return }
    message.mapCapabilities { membrane.cross($0, from: side) }
    responder.returnResults(message)
  }

  func returnError(_ error: RPCError) { finish().responder?.returnError(error) }

  /// Ends the call from this side of the membrane.
  func fail(_ error: RPCError) {
    let (responder, route) = finish()
    responder?.returnError(error)
    route?.cancel()
  }

  /// Whom to tell the outcome: the first time, and nobody later.
  private func finish() -> (responder: (any Responder)?, route: CallRoute?) {
    let ended = state.withLock { state in
      defer {
        state.responder = nil
        state.route = nil
      }
      return state
    }
    if let id = ended.id { membrane.end(id) }
    return (ended.responder, ended.route)
  }
}
