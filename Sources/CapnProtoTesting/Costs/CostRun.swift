import CapTP
import CapnProto
import CapnProtoRPC
import Synchronization

/// A vat with one connection or two, whose peers are the test, and one message that is measured.
struct CostRun {
  private let entry: MessageCost.EntryPoint
  private let choices: [UInt8]
  private let meter: CostMeter
  private let end: CostEnd
  private let otherEnd: CostEnd
  private let connection: RPCConnection
  /// The connection to which calls are passed on.
  private let other: RPCConnection
  private let promise: QueuedCapability

  init(
    _ entry: MessageCost.EntryPoint, _ choices: [UInt8],
    _ allocatedBytes: @escaping @Sendable () -> Int
  ) {
    self.entry = entry
    self.choices = choices
    let meter = CostMeter(allocatedBytes)
    self.meter = meter
    end = CostEnd(meter)
    otherEnd = CostEnd(meter)
    promise = QueuedCapability()
    other = RPCConnection(bootstrap: nil, transport: otherEnd, executor: otherEnd)
    let object = CostObject(entry, meter)
    let bootstrap: Capability =
      switch entry {
      case .forward, .forwardedResults: other.bootstrapCapability()
      case .membrane: Membrane().wrap(Capability(object))
      case .promise: Capability(promise)
      default: Capability(object)
      }
    connection = RPCConnection(
      bootstrap: bootstrap, transport: end, executor: end,
      observers: entry == .trace ? [CostObserver(meter)] : [])
  }

  func measure(_ processorTime: () -> Duration) -> MessageCost {
    // The peer's question 0 is the bootstrap.
    receive { $0.initBootstrap().questionId = 0 }
    let caller = CostCaller(meter)
    var receiver = (connection, end)
    let frame: [UInt8]
    switch entry {
    case .results, .error:
      call(connection.bootstrapCapability(), caller)
      frame = returned(isError: entry == .error)
    case .forwardedResults:
      receive { Self.call($0, 1, of: 0) }
      receiver = (other, otherEnd)
      frame = returned(isError: false)
    case .abort:
      frame = Self.text(choices) { $0.initAbort().reason = $1 }
    case .reflect:
      receive { root in
        let call = root.initCall()
        Self.fill(call, 1, of: 0)
        let payload = call.params
        payload.content.setCapability(CostObject(.read, meter))
        payload.initCapTable(1)[0].senderHosted = 9
      }
      frame = CostlyMessage.frame(choices[...]) { Self.call($0, 2, of: 1) }
    case .unimplemented:
      frame = CostlyMessage.frame(choices[...]) { root in
        let call = root.initCall()
        call.initSendResultsTo().initThirdParty().setText("elsewhere")
        Self.fill(call, 1, of: 0)
      }
    case .read, .echo, .compare, .canonicalize, .forward, .membrane, .promise, .trace:
      frame = CostlyMessage.frame(choices[...]) { Self.call($0, 1, of: 0) }
    }
    var message = try? MessageReader(flat: frame)
    let sentBefore = end.sentBytes + otherEnd.sentBytes
    let start = processorTime()
    meter.begin()
    receiver.1.takeTurn { if let message = message.take() { receiver.0.receive(message) } }
    meter.sample()
    runAll()
    if entry == .promise {
      promise.resolve(CostObject(.read, meter))
      runAll()
    }
    meter.sample()
    let time = processorTime() - start
    let sent = end.sentBytes + otherEnd.sentBytes - sentBefore
    connection.close()
    other.close()
    runAll()
    end.releaseSent()
    otherEnd.releaseSent()
    runAll()
    // The message was there before the start.
    return MessageCost(
      messageBytes: frame.count, capabilities: Self.capabilities(frame),
      memory: meter.most + frame.count, sentBytes: sent, time: time)
  }

  /// The number of descriptors that the frame has room for.
  private static func capabilities(_ frame: [UInt8]) -> Int {
    let count = try? MessageReader.read(flat: frame) { message in
      let root = try message.root(as: Message.Reader.self)
      switch try root.which {
      case .call(let call): return try call.params.capTable.count
      case .`return`(let body): return try body.results.capTable.count
      default: return 0
      }
    }
    return min(count ?? 0, frame.count / 16)
  }

  private func runAll() {
    end.runAll()
    otherEnd.runAll()
    end.runAll()
  }

  /// Has the connection receive a message that is not measured.
  private func receive(_ build: (Message.Builder) -> Void) {
    let message = MessageBuilder()
    message.build(Message.Builder.self, build)
    var box: MessageReader? = message.freeze()
    end.takeTurn { if let message = box.take() { connection.receive(message) } }
    runAll()
  }

  /// Makes a call of this vat on the peer's capability, as question 1.
  private func call(_ capability: Capability, _ caller: CostCaller) {
    let message = MessageBuilder()
    message.build(Message.Builder.self) { _ = $0.initCall().initParams() }
    _ = capability.target.send(OutgoingCall(message), caller: caller)
    runAll()
  }

  /// Builds a call on what an earlier answer returns, whose params are null and come last.
  private static func call(_ root: Message.Builder, _ question: UInt32, of answer: UInt32) {
    fill(root.initCall(), question, of: answer)
  }

  private static func fill(_ call: Call.Builder, _ question: UInt32, of answer: UInt32) {
    call.questionId = question
    call.initTarget().initPromisedAnswer().questionId = answer
    _ = call.initParams()
  }

  /// The frame of a return to question 1.
  private func returned(isError: Bool) -> [UInt8] {
    if isError {
      return Self.text(choices) { root, text in
        let body = root.initReturn()
        body.answerId = 1
        let exception = body.initException()
        exception.reason = text
        exception.trace = text
      }
    }
    return CostlyMessage.frame(choices[...]) { root in
      let body = root.initReturn()
      body.answerId = 1
      _ = body.initResults()
    }
  }

  /// The frame of a message with a text whose length the choices decide.
  private static func text(
    _ choices: [UInt8], _ build: (Message.Builder, String) -> Void
  ) -> [UInt8] {
    let count = choices.prefix(2).reduce(0) { $0 << 8 | Int($1) } * 8
    let character: Character = choices.count % 2 == 0 ? "x" : "\u{202e}"
    let message = MessageBuilder()
    message.build(Message.Builder.self) {
      build($0, String(repeating: character, count: count / character.utf8.count))
    }
    return message.flattened()
  }
}
