import CapTP
import CapnProto
import Synchronization
import Testing

/// A reference that the engine made.
final class Handle: ReferenceHandle {
  let token: ConnectionToken
  let node: NodeID
  let descriptor: (any AttachedDescriptor)?
  private let drops: Drops?

  init(
    _ token: ConnectionToken, _ node: NodeID, _ descriptor: (any AttachedDescriptor)?,
    _ drops: Drops?
  ) {
    self.token = token
    self.node = node
    self.descriptor = descriptor
    self.drops = drops
  }

  func belongs(to token: AnyObject) -> Bool { self.token === token }

  deinit { drops?.append(node) }
}

/// References that were let go of and that the engine has not been told of.
final class Drops: Sendable {
  private let nodes = Mutex<[NodeID]>([])
  func append(_ node: NodeID) { nodes.withLock { $0.append(node) } }
  func take() -> [NodeID] {
    nodes.withLock { nodes in
      defer { nodes = [] }
      return nodes
    }
  }
}

/// An object of this side.
final class Object: CapabilityHook {
  let descriptor: (any AttachedDescriptor)?

  init(_ descriptor: (any AttachedDescriptor)? = nil) { self.descriptor = descriptor }
}

/// A descriptor that goes along with an object.
final class Descriptor: AttachedDescriptor {}

/// A promise of this side.
final class Promise: PromiseHook {
  private let settled = Mutex<(any CapabilityHook)?>(nil)
  var resolution: (any CapabilityHook)? { settled.withLock { $0 } }
  func resolve(_ hook: any CapabilityHook) { settled.withLock { $0 = hook } }
}

/// A caller that keeps what it is told.
final class Asker: Caller {
  private let outcomes = Mutex<[Outcome]>([])
  func finish(_ outcome: Outcome) { outcomes.withLock { $0.append(outcome) } }
  var error: RPCError? {
    guard case .failure(let error) = outcomes.withLock({ $0.first }) else { return nil }
    return error
  }
  var hasResults: Bool {
    guard case .success = outcomes.withLock({ $0.first }) else { return false }
    return true
  }
  var count: Int { outcomes.withLock { $0.count } }
}

/// An engine whose peer is the test.
final class Engine {
  var connection: Connection
  /// Effects that the engine asked for.
  var effects: [Effect] = []

  /// What handles are dropped, unless a test tells the engine by hand.
  private let drops: Drops?

  init(
    bootstrap: (any CapabilityHook)? = nil, limits: ConnectionLimits = ConnectionLimits(),
    dropsHandles: Bool = false, carriesDescriptors: Bool = false
  ) {
    let drops = dropsHandles ? Drops() : nil
    self.drops = drops
    let lookup: DescriptorLookup = { ($0 as? Object)?.descriptor }
    connection = Connection(
      bootstrap: bootstrap, limits: limits, descriptorOf: carriesDescriptors ? lookup : nil
    ) { Handle($0, $1, $2, drops) }
  }

  /// Sends the engine a message of the peer; returns its answers in words.
  func receive<Failure>(
    _ build: (Message.Builder) throws(Failure) -> Void
  ) throws(Failure) -> [String] {
    let builder = MessageBuilder()
    try builder.build(Message.Builder.self, build)
    connection.receive(builder.freeze())
    return sent()
  }

  /// Calls a reference; returns what goes out.
  func call(_ node: NodeID, asker: Asker, with hook: (any CapabilityHook)? = nil)
    -> [String]
  {
    let builder = MessageBuilder()
    builder.build(Message.Builder.self) {
      let call = $0.initCall()
      call.interfaceId = 1
      call.initParams().content.setCapability(hook)
    }
    _ = connection.call(node, OutgoingCall(builder), caller: asker) { asker }
    return sent()
  }

  /// What the engine sent and has not been asked for, in words.
  func sent() -> [String] {
    var words: [String] = []
    for node in drops?.take() ?? [] { connection.dropReference(node) }
    repeat {
      while let message = connection.nextMessage() { words.append(Self.words(message)) }
      if let effect = connection.nextEffect() {
        if case .finish(let caller, let outcome) = effect { caller.finish(outcome) }
        effects.append(effect)
      }
    } while connection.hasSteps
    while let message = connection.nextMessage() { words.append(Self.words(message)) }
    return words
  }

  /// Calls of the peer that objects of this side got, oldest first.
  var delivered: [(hook: any CapabilityHook, token: AnswerToken)] {
    effects.compactMap {
      guard case .deliver(_, let hook, let token) = $0 else { return nil }
      return (hook, token)
    }
  }

  /// The answer of the call that objects of this side got as the one at the index.
  func token(_ index: Int) throws -> AnswerToken {
    try #require(delivered.dropFirst(index).first).token
  }

  /// The capability in the params of the call that was delivered last.
  func lastParameter() throws -> (any CapabilityHook)? {
    for effect in effects.reversed() {
      if case .deliver(let call, _, _) = effect { return try Self.parameter(call.message) }
    }
    return nil
  }

  private static func parameter(_ call: SharedMessage) throws -> (any CapabilityHook)? {
    try call.reader.call.params.content.capability()
  }

  /// Own calls that objects of this side got, oldest first.
  var forwarded: [(hook: any CapabilityHook, caller: any Caller)] {
    effects.compactMap {
      guard case .forward(_, let hook, let caller) = $0 else { return nil }
      return (hook, caller)
    }
  }

  /// Promises of this side that the engine waits for.
  var watched: [ExportToken] {
    effects.compactMap {
      guard case .watch(_, let token) = $0 else { return nil }
      return token
    }
  }

  /// Promises of this side that the engine does not wait for any more.
  var unwatched: [ExportToken] {
    effects.compactMap {
      guard case .unwatch(_, let token) = $0 else { return nil }
      return token
    }
  }

  /// Answers whose handlers are to be cancelled.
  var cancelled: [AnswerToken] {
    effects.compactMap {
      guard case .cancel(let token) = $0 else { return nil }
      return token
    }
  }

  /// A reference to the peer's export 3, whose question is 0.
  func remote() -> any ReferenceHandle {
    let handle = connection.bootstrap()
    _ = sent()
    _ = receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    return handle
  }

  /// The capability that the call's results will be; nil once it has returned.
  func pipelined(on question: UInt32, _ asker: Asker) -> (any ReferenceHandle)? {
    connection.pipeline(QuestionID(rawValue: question), PipelinePath(), caller: asker)
  }

  /// Answers a call of the peer with a capability; returns what goes out.
  func answer(_ token: AnswerToken, with hook: (any CapabilityHook)?) -> [String] {
    let builder = MessageBuilder()
    builder.build(Message.Builder.self) {
      $0.initReturn().initResults().content.setCapability(hook)
    }
    connection.returnResults(builder, for: token)
    return sent()
  }

  /// Answers a call of the peer with an error; returns what goes out.
  func fail(_ token: AnswerToken, _ reason: String) -> [String] {
    connection.returnError(.failed(reason), for: token)
    return sent()
  }

  private static func words(_ message: SharedMessage) -> String {
    do {
      switch try message.reader.which {
      case .abort(let error): return "abort: \(try error.reason.string)"
      case .bootstrap(let body): return "bootstrap \(body.questionId)"
      case .call(let body):
        let caps = try body.params.capTable
        var table = ""
        for index in caps.indices { table += " \(try words(caps[index]))" }
        return "call \(body.questionId) of \(try words(body.target))\(table)"
      case .`return`(let body):
        switch try body.which {
        case .exception(let error):
          return "return \(body.answerId): \(error.type) \(try error.reason.string)"
        case .canceled: return "return \(body.answerId): canceled"
        case .results(let payload):
          let caps = try payload.capTable
          var table = ""
          for index in caps.indices { table += " \(try words(caps[index]))" }
          return "return \(body.answerId): results\(table)"
        case .resultsSentElsewhere: return "return \(body.answerId): kept"
        default: return "return \(body.answerId)"
        }
      case .finish(let body):
        return "finish \(body.questionId)\(body.releaseResultCaps ? " and release" : "")"
      case .release(let body): return "release \(body.id) × \(body.referenceCount)"
      case .disembargo(let body):
        switch try body.context.which {
        case .senderLoopback(let id): return "disembargo \(try words(body.target)) \(id)"
        case .receiverLoopback(let id): return "disembargoed \(try words(body.target)) \(id)"
        default: return "disembargo of another kind"
        }
      case .resolve(let body):
        if case .cap(let cap) = try body.which {
          return "resolve \(body.promiseId): \(try words(cap))"
        }
        return "resolve \(body.promiseId): broken"
      case .unimplemented: return "unimplemented"
      default: return "another message"
      }
    } catch {
      return "invalid: \(error)"
    }
  }

  private static func words(_ target: MessageTarget.Reader) throws -> String {
    switch try target.which {
    case .importedCap(let id): "import \(id)"
    case .promisedAnswer(let answer): "answer \(answer.questionId)"
    case .unknown: "unknown"
    }
  }

  private static func words(_ cap: CapDescriptor.Reader) throws -> String {
    switch try cap.which {
    case .none: "none"
    case .senderHosted(let id): "hosted \(id)"
    case .senderPromise(let id): "promise \(id)"
    case .receiverHosted(let id): "yours \(id)"
    case .receiverAnswer(let answer): "answer \(answer.questionId)"
    default: "another capability"
    }
  }
}

extension Message.Builder {
  /// A `Return` of results that are one capability.
  func returnCapability(_ question: UInt32, _ describe: (CapDescriptor.Builder) -> Void) {
    let body = initReturn()
    body.answerId = question
    body.releaseParamCaps = false
    let payload = body.initResults()
    // The content is the first capability of the table.
    payload.content.setCapability(Object())
    describe(payload.initCapTable(1)[0])
  }

  /// A `Return` of null, or of an error, with `noFinishNeeded`, which newer versions of rpc.capnp have.
  func returnWithoutFinish(_ question: UInt32, failing: Bool = false) {
    let body = initReturn()
    body.answerId = question
    body.releaseParamCaps = false
    if failing { body.initException().reason = "no" } else { _ = body.initResults() }
    body._raw.writeBool(33, true)
  }

  @discardableResult @_lifetime(copy self)
  func callExport(_ question: UInt32, _ export: UInt32) -> Call.Builder {
    let call = initCall()
    call.questionId = question
    call.initTarget().importedCap = export
    _ = call.initParams()
    return call
  }

  /// A call whose results are kept for a question of the receiver.
  func tailCallExport(_ question: UInt32, _ export: UInt32) {
    callExport(question, export).initSendResultsTo().setYourself()
  }

  /// A call of the capability that another call will return.
  @discardableResult @_lifetime(copy self)
  func callAnswer(_ question: UInt32, of other: UInt32) -> Call.Builder {
    let call = initCall()
    call.questionId = question
    call.initTarget().initPromisedAnswer().questionId = other
    _ = call.initParams()
    return call
  }

  /// A call of an export, with a capability as its parameter.
  func callExport(
    _ question: UInt32, _ export: UInt32, with describe: (CapDescriptor.Builder) -> Void
  ) {
    let payload = callExport(question, export).params
    payload.content.setCapability(Object())
    describe(payload.initCapTable(1)[0])
  }

  func resolvePromise(_ promise: UInt32, _ describe: (CapDescriptor.Builder) -> Void) {
    let resolve = initResolve()
    resolve.promiseId = promise
    describe(resolve.initCap())
  }

  func breakPromise(_ promise: UInt32, _ reason: String) {
    let resolve = initResolve()
    resolve.promiseId = promise
    resolve.initException().reason = reason
  }

  func finishQuestion(_ question: UInt32, releasing: Bool = true, cancelsLate: Bool = false) {
    let finish = initFinish()
    finish.questionId = question
    finish.releaseResultCaps = releasing
    finish.requireEarlyCancellationWorkaround = cancelsLate
  }

  func releaseExport(_ export: UInt32, _ count: UInt32) {
    let release = initRelease()
    release.id = export
    release.referenceCount = count
  }

  /// A disembargo that asks the receiver to send it back.
  func disembargo(
    _ embargo: UInt32, _ target: (MessageTarget.Builder) -> Void
  ) {
    let disembargo = initDisembargo()
    target(disembargo.initTarget())
    disembargo.context.senderLoopback = embargo
  }

  /// A disembargo that comes back to the receiver.
  func disembargoed(_ embargo: UInt32) {
    let disembargo = initDisembargo()
    disembargo.initTarget().importedCap = 0
    disembargo.context.receiverLoopback = embargo
  }

  func takeFrom(_ question: UInt32, _ answer: UInt32) {
    let body = initReturn()
    body.answerId = question
    body.releaseParamCaps = false
    body.takeFromOtherQuestion = answer
  }

  func bootstrapQuestion(_ question: UInt32) { initBootstrap().questionId = question }
}

/// An engine whose promise is the peer's export 0, and that holds the peer's promise 3.
func promising() throws -> (Engine, Promise, ExportToken, any ReferenceHandle) {
  let promise = Promise()
  let engine = Engine(bootstrap: promise)
  _ = engine.receive { $0.bootstrapQuestion(0) }
  let token = try #require(engine.watched.first)
  let handle = engine.connection.bootstrap()
  _ = engine.sent()
  _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 3 } }
  return (engine, promise, token, handle)
}
