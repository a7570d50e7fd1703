public import CapnProto

/// Waits for a reference to become something else.
public protocol ReferenceWatcher: AnyObject, Sendable {
  /// What the reference was is not so any more. Called once for each time that it is watched.
  func referenceChanged()
}

/// What a reference stands for, as far as that is known.
public enum ReferenceStatus: Sendable {
  /// Something of the peer, or of an answer, that is not known yet.
  case promise
  /// A capability of the peer.
  case peers
  /// A capability of this side.
  case local(any CapabilityHook)
  /// Nothing: each call fails.
  case broken(RPCError)
}

extension Connection {
  /// What the reference stands for. If that may change, the watcher is told when it does.
  public mutating func status(
    of reference: NodeID, notifying watcher: (any ReferenceWatcher)?
  ) -> ReferenceStatus {
    let id = shortened(reference)
    let status: ReferenceStatus
    switch state(id) {
    case .imported(let id): status = imports[id]?.isPromise == true ? .promise : .peers
    case .pipelined, .awaiting, .embargoed, .alias: status = .promise
    case .local(let hook): return .local(hook)
    case .broken(let error): return .broken(error)
    }
    if let watcher { nodes[id]?.observers.append(watcher) }
    return status
  }

  /// The watcher does not wait for the reference any more.
  public mutating func forget(_ watcher: any ReferenceWatcher, of reference: NodeID) {
    nodes[settled(reference)]?.observers.removeAll { $0 === watcher }
  }

  /// Whether both references stand for one capability, as far as that is known.
  public func isSame(_ first: NodeID, _ second: NodeID) -> Bool {
    let (first, second) = (settled(first), settled(second))
    return switch (state(first), state(second)) {
    case (.imported(let one), .imported(let two)): one == two
    case (.pipelined(let one, let path), .pipelined(let two, let other)):
      one == two && path == other
    case (.local(let one), .local(let two)): Self.followed(one) === Self.followed(two)
    default: first == second
    }
  }

  /// Whether calls on both hooks go the same way, as far as that is known.
  func isSame(_ first: any CapabilityHook, _ second: any CapabilityHook) -> Bool {
    switch (own(first), own(second)) {
    case (.some(let one), .some(let two)): isSame(one, two)
    default: Self.followed(first) === Self.followed(second)
    }
  }

  /// Tells those who wait for the node to become something else.
  mutating func notifyObservers(of id: NodeID) {
    guard nodes.look(id, { $0.seldom.isEmpty }) == false,
      let observers = nodes[id]?.observers, !observers.isEmpty
    else { return }
    nodes[id]?.observers = []
    for observer in observers { emit(.notify(observer)) }
  }
}
