import CapTP
import CapnProto
import Synchronization

/// A reference that the engine made; what was dropped is told to the harness by hand.
final class Handle: ReferenceHandle {
  let token: ConnectionToken
  let node: NodeID

  init(_ token: ConnectionToken, _ node: NodeID) {
    self.token = token
    self.node = node
  }
}

/// An object of this side.
final class Object: CapabilityHook {}

/// A caller that keeps what it is told.
final class Asker: Caller {
  private let outcomes = Mutex<[Outcome]>([])
  func finish(_ outcome: Outcome) { outcomes.withLock { $0.append(outcome) } }
  var error: RPCError? {
    guard case .failure(let error) = outcomes.withLock({ $0.first }) else { return nil }
    return error
  }
  var count: Int { outcomes.withLock { $0.count } }
}

/// An engine whose peer is the test.
struct Engine {
  var connection: Connection
  /// Effects that the engine asked for.
  var effects: [Effect] = []

  init(bootstrap: (any CapabilityHook)? = nil, limits: ConnectionLimits = ConnectionLimits()) {
    connection = Connection(bootstrap: bootstrap, limits: limits) { Handle($0, $1) }
  }

  /// Sends the engine a message of the peer; returns its answers in words.
  mutating func receive(_ build: (Message.Builder) -> Void) -> [String] {
    let builder = MessageBuilder()
    builder.build(Message.Builder.self, build)
    connection.receive(builder.freeze())
    return sent()
  }

  /// Calls a reference; returns what goes out.
  mutating func call(_ node: NodeID, asker: Asker, with hook: (any CapabilityHook)? = nil)
    -> [String]
  {
    let builder = MessageBuilder()
    builder.build(Message.Builder.self) {
      let call = $0.initCall()
      call.interfaceId = 1
      call.initParams().content.setCapability(hook)
    }
    _ = connection.call(node, OutgoingCall(builder), caller: asker)
    return sent()
  }

  /// What the engine sent and has not been asked for, in words.
  mutating func sent() -> [String] {
    var words: [String] = []
    while let message = connection.nextMessage() { words.append(Self.words(message)) }
    while let effect = connection.nextEffect() {
      if case .finish(let caller, let outcome) = effect { caller.finish(outcome) }
      effects.append(effect)
    }
    return words
  }

  private static func words(_ message: Ref<Message.Reader>) -> String {
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

  func callExport(_ question: UInt32, _ export: UInt32) {
    let call = initCall()
    call.questionId = question
    call.initTarget().importedCap = export
    _ = call.initParams()
  }

  func bootstrapQuestion(_ question: UInt32) { initBootstrap().questionId = question }
}
