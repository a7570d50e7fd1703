package import CapnProto

/// What an RPC message is about, without its content: for traces, metrics and transcripts.
///
/// It is short whatever the message is: a peer cannot make it grow.
public struct MessageSummary: Hashable, Sendable {
  /// The kinds of `Message` in rpc.capnp.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case bootstrap, call, `return`, finish, resolve, release, disembargo, unimplemented, abort
    /// A kind that is not spoken here.
    case other
    /// A message that cannot be read.
    case invalid
    /// No message: the connection is over.
    case closed
  }

  /// What kind of message it is.
  public var kind: Kind
  /// The question of a bootstrap, call, return or finish; the promise of a resolve; the capability of
  /// a release; the embargo of a disembargo.
  public var id: UInt32?
  /// The interface that declares the method of a call.
  public var interfaceID: UInt64?
  /// The ordinal of the method of a call.
  public var methodID: UInt16?
  /// Where a call or disembargo goes, in the terms of rpc.capnp and as its receiver counts:
  /// `importedCap 3` or `promisedAnswer 2.0`.
  public var target: String?
  /// What the message says besides, in the terms of rpc.capnp: `results` of a return,
  /// `senderLoopback` of a disembargo, `count 2` of a release.
  public var detail: String?
  /// The descriptors of capabilities that come along, as their sender counts: `senderHosted 3`. At
  /// most ``capabilityLimit`` of them.
  public var capabilities: [String] = []
  /// The kind of the exception that a return, resolve or abort says.
  public var failure: RPCError.Kind?
  /// Why a call failed or the connection was aborted, as its sender says it: at most 200 bytes of
  /// it, escaped for display. It may tell what should stay private.
  public var reason: String?

  /// How many capabilities are named.
  public static let capabilityLimit = 8

  /// A message of the kind of which nothing else is said.
  public init(_ kind: Kind) { self.kind = kind }

  /// What the message is about.
  public init(_ message: Message.Reader) {
    self.init(.invalid)
    do {
      var summary = self
      try summary.read(message)
      self = summary
    } catch {
      detail = "\(error)"
    }
  }
}

extension MessageReader {
  /// What the message is about, if it is one of RPC.
  package var summary: MessageSummary {
    do {
      return MessageSummary(try root(as: Message.Reader.self))
    } catch {
      return MessageSummary(.invalid)
    }
  }
}

extension MessageSummary {
  private mutating func read(_ message: Message.Reader) throws(DecodingError) {
    switch try message.which {
    case .bootstrap(let body): (kind, id) = (.bootstrap, body.questionId)
    case .call(let body):
      (kind, id) = (.call, body.questionId)
      (interfaceID, methodID) = (body.interfaceId, body.methodId)
      target = try Self.words(for: body.target)
      switch try body.sendResultsTo.which {
      case .caller: break
      case .yourself: detail = "sendResultsTo yourself"
      default: detail = "sendResultsTo another"
      }
      try read(body.params)
    case .`return`(let body):
      (kind, id) = (.`return`, body.answerId)
      try read(body)
    case .finish(let body):
      (kind, id) = (.finish, body.questionId)
      if body.releaseResultCaps { detail = "releaseResultCaps" }
    case .resolve(let body):
      (kind, id) = (.resolve, body.promiseId)
      switch try body.which {
      case .cap(let capability): capabilities = [try Self.words(for: capability)]
      case .exception(let exception): try read(exception)
      case .unknown(let number): detail = "kind \(number)"
      }
    case .release(let body):
      (kind, id) = (.release, body.id)
      detail = "count \(body.referenceCount)"
    case .disembargo(let body):
      kind = .disembargo
      target = try Self.words(for: body.target)
      switch try body.context.which {
      case .senderLoopback(let embargo): (id, detail) = (embargo, "senderLoopback")
      case .receiverLoopback(let embargo): (id, detail) = (embargo, "receiverLoopback")
      default: detail = "another context"
      }
    case .unimplemented(let inner):
      kind = .unimplemented
      // One level is what there can be in good faith.
      if case .unimplemented = try inner.which { return }
      let inner = MessageSummary(inner)
      detail = inner.kind.rawValue + (inner.id.map { " \($0)" } ?? "")
    case .abort(let exception):
      kind = .abort
      try read(exception)
    default: kind = .other
    }
  }

  private mutating func read(_ body: Return.Reader) throws(DecodingError) {
    switch try body.which {
    case .results(let payload):
      detail = "results"
      try read(payload)
    case .exception(let exception): try read(exception)
    case .canceled: detail = "canceled"
    case .resultsSentElsewhere: detail = "resultsSentElsewhere"
    case .takeFromOtherQuestion(let other): detail = "takeFromOtherQuestion \(other)"
    default: detail = "another outcome"
    }
  }

  private mutating func read(_ exception: Exception.Reader) throws(DecodingError) {
    let kind = RPCError.Kind(rawValue: exception.type.rawValue) ?? .failed
    failure = kind
    let bytes = try exception.reason.bytes
    var start: [UInt8] = []
    for index in 0..<min(bytes.count, Self.reasonLimit + 1) { start.append(bytes[index]) }
    reason = Self.printable(start)
  }

  private static let reasonLimit = 200

  /// A text of a peer as a log or a terminal may get it: its first 200 bytes, escaped.
  package static func printable(_ utf8: some Collection<UInt8>) -> String {
    let text = String(decoding: utf8.prefix(reasonLimit), as: UTF8.self)
    return text.escapedForDisplay + (utf8.count > reasonLimit ? "…" : "")
  }

  private mutating func read(_ payload: Payload.Reader) throws(DecodingError) {
    let table = try payload.capTable
    for index in table.indices.prefix(Self.capabilityLimit) {
      capabilities.append(try Self.words(for: table[index]))
    }
    if table.count > Self.capabilityLimit {
      capabilities[Self.capabilityLimit - 1] =
        "\(table.count - Self.capabilityLimit + 1) more"
    }
  }

  private static func words(for target: MessageTarget.Reader) throws(DecodingError) -> String {
    switch try target.which {
    case .importedCap(let id): "importedCap \(id)"
    case .promisedAnswer(let answer): try "promisedAnswer \(words(for: answer))"
    case .unknown(let number): "target of kind \(number)"
    }
  }

  private static func words(for descriptor: CapDescriptor.Reader) throws(DecodingError) -> String {
    switch try descriptor.which {
    case .none: "none"
    case .senderHosted(let id): "senderHosted \(id)"
    case .senderPromise(let id): "senderPromise \(id)"
    case .receiverHosted(let id): "receiverHosted \(id)"
    case .receiverAnswer(let answer): try "receiverAnswer \(words(for: answer))"
    case .thirdPartyHosted(let other): "thirdPartyHosted, vine \(other.vineId)"
    case .unknown(let number): "descriptor of kind \(number)"
    }
  }

  /// The question and the pointers on the way, as in `2.0.1`.
  private static func words(for answer: PromisedAnswer.Reader) throws(DecodingError) -> String {
    var words = "\(answer.questionId)"
    let steps = try answer.transform
    for index in steps.indices.prefix(capabilityLimit) {
      if case .getPointerField(let field) = try steps[index].which { words += ".\(field)" }
    }
    return words + (steps.count > capabilityLimit ? "…" : "")
  }
}

extension MessageSummary: CustomStringConvertible {
  /// The message in words, the method by its numbers.
  public var description: String {
    words(method: interfaceID.map { "0x\(String($0, radix: 16)).@\(methodID ?? 0)" })
  }

  /// The message in words, escaped for display: a summary may come from a file.
  ///
  /// - Parameter method: what the method is called, if the message has to do with one.
  /// - Returns: one line.
  public func words(method: String?) -> String {
    var words = kind.rawValue
    if let id { words += " \(id)" }
    if let method { words += " \(method)" }
    if let target { words += " on \(target)" }
    if let detail { words += ": \(detail)" }
    if let failure { words += ": exception \(failure)" }
    if let reason { words += " \"\(reason)\"" }
    if !capabilities.isEmpty { words += " [\(capabilities.joined(separator: ", "))]" }
    return words.escapedForDisplay
  }
}
