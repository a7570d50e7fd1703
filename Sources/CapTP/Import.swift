import CapnProto

/// A capability of the peer that this side holds.
struct Import: Sendable {
  /// When it was given first.
  let since: Duration
  /// What it is to this side; nil once it is a promise that has been resolved.
  var node: NodeID?
  /// A node that stays the import, whatever that turns out to be.
  var pin: NodeID?
  /// How many times the peer gave it, which is what a `Release` must say.
  var references: UInt32
  /// Whether a `Resolve` is to come.
  var isPromise: Bool
}

/// Which capabilities of a payload are this side's own, as the peer sees it: calls on what has
/// turned out to be one come back here.
enum Reflected: Sendable {
  case all
  case some([ObjectIdentifier])

  func contains(_ found: Result<(any CapabilityHook)?, RPCError>) -> Bool {
    guard case .success(.some(let hook)) = found else { return false }
    return switch self {
    case .all: true
    case .some(let hooks): hooks.contains(ObjectIdentifier(hook))
    }
  }
}

/// What a payload's descriptors stand for.
struct ImportedTable {
  var hooks: [(any CapabilityHook)?] = []
  var reflected: [ObjectIdentifier] = []
}

extension Import {
  /// The node does not stand for it any more.
  ///
  /// - Returns: whether none does.
  mutating func letGo(of node: NodeID) -> Bool {
    if self.node == node { self.node = nil }
    if pin == node { pin = nil }
    return self.node == nil && pin == nil
  }
}

extension Connection {
  /// Imports the capabilities that a payload's descriptors stand for.
  ///
  /// - Parameters:
  ///   - payload: the payload.
  ///   - words: the number of words of its message.
  /// - Returns: the capabilities.
  /// - Throws: `ProtocolViolation`, also if the message has less words than so many descriptors take: a
  ///   list of shorter elements may be read as one of descriptors, and what they stand for takes more here
  ///   than they do there.
  mutating func importTable(_ payload: Payload.Reader, words: Int) throws -> ImportedTable {
    let descriptors = try payload.capTable
    // A word of data and a pointer, each.
    guard descriptors.count <= words / 2 else {
      throw ProtocolViolation(
        "a message of \(words) words has a table of \(descriptors.count) capabilities")
    }
    guard descriptors.count <= limits.imports else {
      note(.imports)
      throw ProtocolViolation("a payload has more than \(limits.imports) capabilities")
    }
    var table = ImportedTable()
    for index in descriptors.indices {
      let (hook, isReflected) = try importCapability(descriptors[index])
      table.hooks.append(hook)
      if isReflected, let hook { table.reflected.append(ObjectIdentifier(hook)) }
    }
    return table
  }

  /// The capability that a descriptor stands for, or nil for `none`; and whether it is this side's.
  mutating func importCapability(
    _ descriptor: CapDescriptor.Reader
  ) throws -> (hook: (any CapabilityHook)?, isReflected: Bool) {
    switch try descriptor.which {
    case .none: return (nil, false)
    case .senderHosted(let id):
      return (try importHandle(id, isPromise: false, descriptor), false)
    case .senderPromise(let id):
      return (try importHandle(id, isPromise: true, descriptor), false)
    case .receiverHosted(let id):
      guard let export = exports[ExportID(rawValue: id)] else {
        throw ProtocolViolation("a descriptor names export \(id), which is not open")
      }
      return (export.hook, true)
    case .receiverAnswer(let answer):
      let hook = try capability(
        PipelinePath(answer.transform), ofAnswer: AnswerID(rawValue: answer.questionId))
      return (hook, true)
    case .thirdPartyHosted(let other):
      // Level 3 is not spoken here: the vine stands for the capability, as the sender proxies it.
      return (try importHandle(other.vineId, isPromise: false, descriptor), false)
    case .unknown(let number):
      throw ProtocolViolation("unknown kind \(number) of a capability descriptor")
    }
  }

  private mutating func importHandle(
    _ id: UInt32, isPromise: Bool, _ descriptor: CapDescriptor.Reader
  ) throws -> any ReferenceHandle {
    let id = ImportID(rawValue: id)
    let node = try importNode(id, isPromise: isPromise)
    if descriptorOf != nil { descriptors.note(descriptor.attachedFd, of: id) }
    return handle(node)
  }

  private mutating func importNode(
    _ id: ImportID, isPromise: Bool
  ) throws(ProtocolViolation) -> NodeID {
    if let known = imports[id] {
      guard known.references < .max else {
        throw ProtocolViolation("import \(id.rawValue) was given too often")
      }
      let node = known.node ?? addNode(.imported(id))
      imports.update(id) { entry in
        entry.references += 1
        entry.node = node
      }
      return node
    }
    guard imports.count < limits.imports, nodes.count < limits.imports + limits.questions else {
      note(.imports)
      throw ProtocolViolation("this side holds more than \(limits.imports) capabilities")
    }
    let node = addNode(.imported(id))
    _ = imports.insert(
      Import(since: clock(), node: node, references: 1, isPromise: isPromise), at: id)
    return node
  }

  /// The node does not stand for the import any more. Once none does, the peer is told (`Release` in
  /// rpc.capnp).
  mutating func releaseImport(_ id: ImportID, _ node: NodeID) {
    guard imports.update(id, { $0.letGo(of: node) }) == true,
      let entry = imports.removeValue(forKey: id)
    else { return }
    if descriptorOf != nil, let descriptor = descriptors.forget(id) {
      emit(.discardDescriptor(descriptor))
    }
    send(words: 4) {
      let release = $0.initRelease()
      release.id = id.rawValue
      release.referenceCount = entry.references
    }
  }

  /// The peer's promise has turned out to be the capability, or an error.
  mutating func resolveImport(
    _ id: ImportID, _ outcome: Result<(any CapabilityHook)?, RPCError>, isReflected: Bool
  ) {
    // A promise that was released meanwhile: what it resolved to is dropped with the hook.
    guard let node = imports[id]?.node else {
      if case .success(.some(let hook)) = outcome { emit(.discard(hook)) }
      return
    }
    resolve(node, to: outcome, isReflected: isReflected) { $0.importedCap = id.rawValue }
    // The node goes elsewhere now; after the disembargo, if there is one, the promise can go.
    releaseImport(id, node)
  }
}
