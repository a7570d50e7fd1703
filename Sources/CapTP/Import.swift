import CapnProto

/// A capability of the peer that this side holds.
struct Import: Sendable {
  let node: NodeID
  /// How many times the peer gave it, which is what a `Release` must say.
  var references: UInt32
}

extension Connection {
  /// The capabilities that a payload's descriptors stand for.
  mutating func importTable(
    _ payload: Payload.Reader
  ) throws -> [(any CapabilityHook)?] {
    let descriptors = try payload.capTable
    guard descriptors.count <= limits.imports else {
      throw ProtocolViolation("a payload has more than \(limits.imports) capabilities")
    }
    var table: [(any CapabilityHook)?] = []
    for index in descriptors.indices { table.append(try importCapability(descriptors[index])) }
    return table
  }

  /// The capability that a descriptor stands for, or nil for `none`.
  mutating func importCapability(
    _ descriptor: CapDescriptor.Reader
  ) throws -> (any CapabilityHook)? {
    switch try descriptor.which {
    case .none: return nil
    case .senderHosted(let id), .senderPromise(let id):
      return try handle(importNode(ImportID(rawValue: id)))
    case .receiverHosted(let id):
      guard let export = exports[ExportID(rawValue: id)] else {
        throw ProtocolViolation("a descriptor names export \(id), which is not open")
      }
      return export.hook
    case .receiverAnswer(let answer):
      return try capability(
        PipelinePath(answer.transform), ofAnswer: AnswerID(rawValue: answer.questionId))
    case .thirdPartyHosted(let other):
      // Level 3 is not spoken here: the vine stands for the capability, as the sender proxies it.
      return try handle(importNode(ImportID(rawValue: other.vineId)))
    case .unknown(let number):
      throw ProtocolViolation("unknown kind \(number) of a capability descriptor")
    }
  }

  private mutating func importNode(_ id: ImportID) throws(ProtocolViolation) -> NodeID {
    if let known = imports[id] {
      guard known.references < .max else {
        throw ProtocolViolation("import \(id.rawValue) was given too often")
      }
      imports[id]?.references += 1
      return known.node
    }
    guard imports.count < limits.imports, nodes.count < limits.imports + limits.questions else {
      throw ProtocolViolation("this side holds more than \(limits.imports) capabilities")
    }
    let node = addNode(.imported(id))
    imports[id] = Import(node: node, references: 1)
    return node
  }

  /// Tells the peer that this side holds the capability no more (`Release` in rpc.capnp).
  mutating func releaseImport(_ id: ImportID) {
    guard let entry = imports.removeValue(forKey: id) else { return }
    send {
      let release = $0.initRelease()
      release.id = id.rawValue
      release.referenceCount = entry.references
    }
  }

  /// The peer's promise has turned out to be the capability, or an error.
  mutating func resolveImport(
    _ id: ImportID, _ outcome: Result<(any CapabilityHook)?, RPCError>
  ) {
    // A promise that was released meanwhile: what it resolved to is dropped with the hook.
    guard let entry = imports[id] else {
      if case .success(.some(let hook)) = outcome { emit(.discard(hook)) }
      return
    }
    resolve(entry.node, to: outcome) { $0.importedCap = id.rawValue }
    // The node goes elsewhere now; after the disembargo, if there is one, the promise can go.
    releaseImport(id)
  }
}
