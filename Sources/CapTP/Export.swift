public import CapnProto

/// A capability of this side that the peer holds.
struct Export: Sendable {
  /// Where the peer's calls go. For a promise that has been resolved: what the peer was told.
  var hook: any CapabilityHook
  let serial: UInt64
  /// When it was given first.
  let since: Duration
  /// How it is found when it is given again; nil once it is a promise that has been resolved.
  var key: ExportKey?
  /// Whether `resolveExport` is to come.
  var isPromise: Bool
  /// How many times the peer was given it and has not released it.
  var references: Int
}

/// What is exported: two handles of one node are one capability.
enum ExportKey: Hashable, Sendable {
  case object(ObjectIdentifier)
  case node(NodeID)
}

extension Connection {
  /// Describes the capabilities of a payload for the peer (`CapDescriptor` in rpc.capnp).
  ///
  /// - Returns: the exports that the peer was given, once for each time.
  mutating func describe(
    _ hooks: [(any CapabilityHook)?], in payload: Payload.Builder
  ) -> [ExportID] {
    guard !hooks.isEmpty else { return [] }
    var exported: [ExportID] = []
    let table = payload.initCapTable(hooks.count)
    for (index, hook) in hooks.enumerated() {
      // The connection may have ended over the one before: then nobody would release this one.
      guard let hook, failure == nil else { continue }
      if let id = describe(hook, in: table[index]) { exported.append(id) }
    }
    return exported
  }

  private mutating func describe(
    _ hook: any CapabilityHook, in descriptor: CapDescriptor.Builder
  ) -> ExportID? {
    let (hook, node) = destination(of: hook)
    guard let node else { return export(hook, isPromise: hook.isPromise, in: descriptor) }
    switch state(node) {
    case .imported(let id):
      descriptor.receiverHosted = id.rawValue
      return nil
    case .pipelined(let question, let path):
      let answer = descriptor.initReceiverAnswer()
      answer.questionId = question.rawValue
      path.write(to: answer)
      return nil
    case .embargoed, .awaiting: return export(hook, isPromise: true, in: descriptor)
    case .broken, .alias, .local: return export(hook, isPromise: false, in: descriptor)
    }
  }

  private mutating func export(
    _ hook: any CapabilityHook, isPromise: Bool, in descriptor: CapDescriptor.Builder
  ) -> ExportID {
    let id = addExport(hook, isPromise: isPromise)
    if isPromise {
      descriptor.senderPromise = id.rawValue
    } else {
      descriptor.senderHosted = id.rawValue
    }
    if let attached = descriptorOf?(hook), let index = descriptors.attach(attached) {
      descriptor.attachedFd = index
    }
    return id
  }

  private mutating func addExport(_ hook: any CapabilityHook, isPromise: Bool) -> ExportID {
    let node = own(hook).map { settled($0) }
    let key = node.map { ExportKey.node($0) } ?? .object(ObjectIdentifier(hook))
    if let id = exportIDs[key] {
      exports.update(id) { $0.references += 1 }
      return id
    }
    let serial = nextSerial()
    let id = exports.add(
      Export(
        hook: hook, serial: serial, since: clock(), key: key, isPromise: isPromise, references: 1))
    exportIDs[key] = id
    if isPromise {
      let token = ExportToken(id: id, serial: serial)
      if let node {
        nodes[node]?.watchers.append(token)
      } else if let promise = hook as? any PromiseHook {
        emit(.watch(promise, token))
      }
    }
    if exports.count > limits.exports {
      note(.exports)
      abort("the peer holds more than \(limits.exports) capabilities")
    }
    return id
  }

  /// The peer holds the export so many times less.
  mutating func releaseExport(_ id: ExportID, count: Int) {
    guard let export = exports[id] else { return }
    exports.update(id) { $0.references -= count }
    guard export.references <= count else { return }
    exports.remove(id)
    discard(export, id)
  }

  /// Lets go of an export that has been removed, and stops waiting for what it turns out to be.
  mutating func discard(_ export: Export, _ id: ExportID) {
    if let key = export.key { exportIDs[key] = nil }
    if export.isPromise {
      let token = ExportToken(id: id, serial: export.serial)
      if let own = own(export.hook) {
        nodes[settled(own)]?.watchers.removeAll { $0 == token }
      } else if let promise = export.hook as? any PromiseHook {
        emit(.unwatch(promise, token))
      }
    }
    emit(.discard(export.hook))
  }

  /// Tells the peer what a promise that it holds has turned out to be (`Resolve` in rpc.capnp).
  ///
  /// Nothing happens if the peer has released the promise.
  public mutating func resolveExport(
    _ token: ExportToken, _ outcome: Result<any CapabilityHook, RPCError>
  ) {
    guard let export = exports[token.id], export.serial == token.serial, failure == nil else {
      return
    }
    let builder = MessageBuilder(firstSegmentWords: 32)
    builder.build(Message.Builder.self) {
      let resolve = $0.initResolve()
      resolve.promiseId = token.id.rawValue
      switch outcome {
      case .failure(let error): sendable(error).write(to: resolve.exceptionField)
      case .success(let hook): _ = describe(hook, in: resolve.initCap())
      }
    }
    send(builder)
    if let key = export.key { exportIDs[key] = nil }
    exports[token.id]?.key = nil
    exports[token.id]?.isPromise = false
    emit(.discard(export.hook))
    let target: any CapabilityHook =
      switch outcome {
      case .success(let hook): pinned(hook)
      case .failure(let error): handle(addNode(.broken(error)))
      }
    exports[token.id]?.hook = target
  }

  /// The capability that the peer is told of when it is told of the hook: its calls go there from
  /// then on, and not where it may turn out to lead (rpc.capnp, "The Tribble 4-way Race Condition").
  mutating func pinned(_ hook: any CapabilityHook) -> any CapabilityHook {
    let (hook, node) = destination(of: hook)
    guard let node else { return hook }
    switch state(node) {
    case .imported(let id):
      let pin = imports[id]?.pin ?? addNode(.imported(id))
      imports[id]?.pin = pin
      return handle(pin)
    case .pipelined(let question, let path): return handle(pin(question, path))
    case .local, .embargoed, .awaiting, .alias, .broken: return hook
    }
  }
}
