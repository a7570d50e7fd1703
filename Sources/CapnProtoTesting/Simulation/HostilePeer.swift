// A vat whose peer sends whatever it likes: messages of every kind with identifiers that fit, nearly
// fit or do not, and frames that are damaged. Whatever comes, the vat stays within its limits, ends
// its calls and lets go of its objects when the connection is over.

import CapTP
import CapnProto
import CapnProtoRPC
import Synchronization

extension Simulation {
  /// Runs one vat against a peer that breaks the protocol.
  ///
  /// - Parameters:
  ///   - seed: decides what the peer sends and what the vat's application does.
  ///   - messages: how many messages the peer sends at most.
  ///   - traced: whether the report has a transcript.
  /// - Returns: the rules that the vat broke; whatever the peer broke is no matter.
  public static func runAgainstHostilePeer(seed: UInt64, messages: Int = 150, traced: Bool = false)
    -> Report
  {
    HostileRun.report(
      SeededGenerator(seed: seed), seed: seed, messages: messages, isSlow: seed % 4 == 0,
      traced: traced)
  }

  /// Runs one vat against a peer that breaks the protocol, in the way that the bytes decide.
  ///
  /// - Parameters:
  ///   - choices: what the peer sends and what the vat's application does, choice by choice.
  ///   - messages: how many messages the peer sends at most.
  /// - Returns: the rules that the vat broke.
  public static func runAgainstHostilePeer(choices: [UInt8], messages: Int) -> Report {
    HostileRun.report(
      SeededGenerator(choices: choices), messages: messages, isSlow: choices.count % 4 == 0)
  }

  /// Runs one vat against a peer that sends the bytes: frames, until one cannot be read.
  ///
  /// - Returns: the rules that the vat broke.
  public static func runAgainstHostilePeer(sending bytes: [UInt8]) -> Report {
    var frames: [[UInt8]] = []
    var rest = bytes[...]
    while let message = try? MessageReader(flat: Array(rest)) {
      frames.append(message.flattened())
      rest = rest.dropFirst(message.frameBytes)
    }
    return HostileRun.report(
      SeededGenerator(seed: 0), messages: frames.count, isSlow: bytes.count % 4 == 0,
      frames: frames)
  }
}

private struct HostileRun {
  var simulation: Simulation
  let messages: Int
  /// What the peer sends, in place of messages that it makes up.
  let frames: [[UInt8]]?
  var violations: [String] = []
  var received = 0
  var connections = 0
  private var known = KnownIdentifiers()
  /// Whether the message that is made names what is not there.
  private var isMisfit = false
  /// The question of the message that is made: nothing in it can refer to its own answer.
  private var asked: UInt32?

  private let limits: ConnectionLimits
  /// Whether the vat takes few calls at a time, and keeps messages back now and then.
  private let isSlow: Bool

  private var world: SimulatedWorld { simulation.world }

  private init(
    _ simulation: Simulation, _ messages: Int, _ frames: [[UInt8]]?, isSlow: Bool
  ) {
    self.simulation = simulation
    self.messages = messages
    self.frames = frames
    var limits = ConnectionLimits()
    limits.answers = 16
    limits.questions = 16
    limits.exports = 24
    limits.imports = 24
    limits.queuedCalls = 12
    // A call or two.
    if isSlow { limits.wordsInFlight = 40 }
    self.limits = limits
    self.isSlow = isSlow
  }

  static func report(
    _ random: SeededGenerator, seed: UInt64 = 0, messages: Int, isSlow: Bool,
    frames: [[UInt8]]? = nil, traced: Bool = false
  ) -> Simulation.Report {
    var setting = Simulation.Setting()
    setting.vats = 1
    let simulation = Simulation(random: random, setting: setting, traced: traced)
    var run = HostileRun(simulation, messages, frames, isSlow: isSlow)
    run.run()
    return run.simulation.world.state.withLock { state in
      Simulation.Report(
        seed: seed, violations: run.violations + state.lostUnderLock, transcript: state.transcript,
        calls: state.model.calls.count, steps: run.received, connections: run.connections,
        descriptors: state.descriptorsSeen)
    }
  }

  mutating func run() {
    // The peer comes back when it has been thrown out.
    while received < messages { meet() }
    let (objects, descriptors) = world.state.withLock { ($0.liveObjects, $0.liveDescriptors) }
    if objects > 0 { violations.append("\(objects) objects are not released") }
    if descriptors > 0 { violations.append("\(descriptors) descriptors are not released") }
  }

  /// One connection, from its start to its end.
  private mutating func meet() {
    connections += 1
    known = KnownIdentifiers()
    let end = SimulatedEnd(
      drainsAtOnce: simulation.random.once(in: 2),
      carriesDescriptors: simulation.random.once(in: 2))
    let object = world.makeObject(in: 0)
    let connection = RPCConnection(
      bootstrap: Capability(object), limits: limits, transport: end, executor: end)
    world.watch(connection)
    world.hold(connection.bootstrapCapability().target, as: .broken, in: 0)
    world.note("a connection is made")
    exchange(with: connection, end)
    world.note("the connection is closed")
    connection.close()
    repeat { work(end) } while simulation.answerAny() || simulation.settleAny()
    let open = world.state.withLock { $0.calls.filter { !$0.hasEnded } }
    for call in open { violations.append("call \(call.id) did not end with the connection") }
    dropAll()
    work(end)
    if connection.tableSizes != TableSizes() {
      violations.append("tables are not empty: \(connection.tableSizes)")
    }
  }

  private mutating func exchange(with connection: RPCConnection, _ end: SimulatedEnd) {
    while received < messages, !end.isClosed {
      if simulation.random.once(in: 3) {
        simulation.takeAction()
      } else {
        let frame = frames?[received] ?? frame()
        received += 1
        let world = world
        // What comes with a message that names none must go as well.
        let descriptors = (0..<received % 3).map { _ in world.makeDescriptor(-1) }
        end.takeTurn {
          if let message = try? MessageReader(flat: frame) {
            world.note("peer: \(message.summary)")
            connection.receive(message, with: descriptors)
          }
        }
      }
      if !simulation.random.once(in: 4) { work(end) }
      if isSlow, simulation.random.once(in: 5) {
        if simulation.random.once(in: 2) { connection.cork() } else { connection.uncork() }
      }
      for frame in end.takeSent() {
        guard let message = try? MessageReader(flat: frame) else { continue }
        world.note("vat: \(message.summary)")
        known.note(message)
      }
      checkLimits(connection)
    }
  }

  private mutating func work(_ end: SimulatedEnd) {
    repeat {
      while end.hasWork { end.runOne() }
      world.takeOutcomes()
      for vat in world.vatsWithWork { world.runOne(in: vat) }
    } while end.hasWork || !world.vatsWithWork.isEmpty
    world.takeOutcomes()
  }

  private mutating func checkLimits(_ connection: RPCConnection) {
    let sizes = connection.tableSizes
    if sizes.questions > limits.questions || sizes.answers > limits.answers
      || sizes.imports > limits.imports || sizes.exports > limits.exports
      || sizes.embargoes > limits.imports + limits.questions
    {
      violations.append("tables are over their limits: \(sizes)")
    }
  }

  /// Lets go of all that the vat's application holds, outside of the lock.
  private func dropAll() {
    let parts = world.state.withLock { state in
      defer {
        (state.held, state.calls, state.answers, state.promises) = ([], [], [], [])
      }
      return (state.held, state.calls, state.answers, state.promises)
    }
    withExtendedLifetime(parts) {}
  }
}

extension HostileRun {
  /// A message that fits now and then, and may be damaged.
  private mutating func frame() -> [UInt8] {
    let before = known
    var frame: [UInt8] = []
    let mayMisfit = simulation.random.once(in: 20)
    for _ in 0..<200 {
      known = before
      isMisfit = false
      asked = nil
      let builder = MessageBuilder()
      builder.build(Message.Builder.self) { fill($0) }
      frame = builder.flattened()
      if !isMisfit || mayMisfit { break }
    }
    if let asked { known.questions.insert(asked) }
    if simulation.random.once(in: 60) {
      for _ in 0..<Int.random(in: 1...4, using: &simulation.random) {
        let index = Int.random(in: frame.indices, using: &simulation.random)
        frame[index] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &simulation.random)
      }
    }
    return frame
  }

  /// Most often one that fits.
  private mutating func identifier(among known: Set<UInt32>) -> UInt32 {
    if !simulation.random.once(in: 30),
      let known = known.sorted().randomElement(using: &simulation.random)
    {
      return known
    }
    isMisfit = true
    return identifier()
  }

  /// Most often one that is not in use.
  private mutating func newQuestion() -> UInt32 {
    var id = identifier()
    while known.questions.contains(id), !simulation.random.once(in: 30) {
      id = .random(in: 0..<40, using: &simulation.random)
    }
    asked = id
    return id
  }

  private mutating func newHosted() -> UInt32 {
    let id = identifier()
    known.hosted.insert(id)
    return id
  }

  private mutating func identifier() -> UInt32 {
    simulation.random.once(in: 40)
      ? UInt32.random(in: 0 ... .max, using: &simulation.random)
      : UInt32.random(in: 0..<6, using: &simulation.random)
  }

  private mutating func fill(_ message: Message.Builder) {
    switch Int.random(in: 0..<24, using: &simulation.random) {
    case 0: message.initBootstrap().questionId = newQuestion()
    case 1..<8:
      let call = message.initCall()
      call.questionId = newQuestion()
      // None of the numbers by which the observer knows the vat's own calls.
      call.interfaceId = 1 << 40 | UInt64(identifier())
      fill(call.initTarget())
      if simulation.random.once(in: 10) { call.sendResultsTo.setYourself() }
      if simulation.random.once(in: 30) { _ = call.sendResultsTo.initThirdParty() }
      fill(call.initParams())
    case 8..<13:
      let body = message.initReturn()
      let question = identifier(among: known.calls)
      known.calls.remove(question)
      body.answerId = question
      body.releaseParamCaps = simulation.random.once(in: 2)
      // `noFinishNeeded`, of newer versions of rpc.capnp.
      body._raw.writeBool(33, question % 4 == 3, default: false)
      switch Int.random(in: 0..<8, using: &simulation.random) {
      case 0: body.initException().reason = "no"
      case 1: body.setCanceled()
      case 2: body.setResultsSentElsewhere()
      case 3: body.takeFromOtherQuestion = identifier(among: known.questions)
      default: fill(body.initResults())
      }
    case 13..<16:
      let finish = message.initFinish()
      let question = identifier(among: known.questions)
      known.questions.remove(question)
      finish.questionId = question
      finish.releaseResultCaps = simulation.random.once(in: 2)
    case 16..<18:
      let resolve = message.initResolve()
      resolve.promiseId = identifier(among: known.hosted)
      if simulation.random.once(in: 6) {
        resolve.initException().reason = "no"
      } else {
        fill(resolve.initCap())
      }
    case 18..<20:
      let release = message.initRelease()
      release.id = identifier(among: known.exports)
      release.referenceCount = UInt32.random(in: 0..<2, using: &simulation.random)
    case 20..<22:
      let disembargo = message.initDisembargo()
      fill(disembargo.initTarget())
      if simulation.random.once(in: 2) {
        disembargo.context.senderLoopback = identifier()
      } else {
        disembargo.context.receiverLoopback = identifier(among: known.embargoes)
      }
    case 22:
      let inner = message.initUnimplemented()
      if simulation.random.once(in: 2) {
        inner.initCall().questionId = identifier(among: known.calls)
      } else {
        fill(inner.initResolve().initCap())
      }
    default:
      if simulation.random.once(in: 10) {
        message.initAbort().reason = "enough"
      } else {
        _ = message.initJoin()
      }
    }
  }

  private mutating func fill(_ target: MessageTarget.Builder) {
    if simulation.random.once(in: 2) {
      target.importedCap = identifier(among: known.exports)
    } else {
      fill(target.initPromisedAnswer())
    }
  }

  private mutating func fill(_ answer: PromisedAnswer.Builder) {
    answer.questionId = identifier(among: known.questions)
    if simulation.random.once(in: 4) {
      let count = simulation.random.once(in: 10) ? 100 : 2
      let ops = answer.initTransform(count)
      for index in ops.indices {
        ops[index].getPointerField = UInt16.random(in: 0..<3, using: &simulation.random)
      }
    }
  }

  private mutating func fill(_ payload: Payload.Builder) {
    let count = simulation.random.once(in: 2) ? 1 : Int.random(in: 0..<4, using: &simulation.random)
    // The content is the first capability of the table, if there is one.
    if simulation.random.once(in: 2) { payload.content.setCapability(world.makeObject(in: 0)) }
    let table = payload.initCapTable(count)
    for index in table.indices { fill(table[index]) }
  }

  private mutating func fill(_ descriptor: CapDescriptor.Builder) {
    if simulation.random.once(in: 2) {
      descriptor.attachedFd = UInt8.random(in: 0..<4, using: &simulation.random)
    }
    switch Int.random(in: 0..<10, using: &simulation.random) {
    case 0: descriptor.setNone()
    case 1..<4: descriptor.senderHosted = newHosted()
    case 4..<6: descriptor.senderPromise = newHosted()
    case 6..<8: descriptor.receiverHosted = identifier(among: known.exports)
    case 8: fill(descriptor.initReceiverAnswer())
    default: descriptor.initThirdPartyHosted().vineId = identifier()
    }
  }
}

/// What the peer can name because the vat has said it, or because the peer has.
private struct KnownIdentifiers {
  /// Calls of the vat that the peer has not answered.
  var calls: Set<UInt32> = []
  /// The vat's exports.
  var exports: Set<UInt32> = []
  /// The vat's embargoes.
  var embargoes: Set<UInt32> = []
  /// Calls of the peer that it has not finished.
  var questions: Set<UInt32> = []
  /// Capabilities that the peer said it hosts.
  var hosted: Set<UInt32> = []

  mutating func note(_ message: borrowing MessageReader) {
    guard let root = try? message.root(as: Message.Reader.self) else { return }
    try? note(root)
  }

  private mutating func note(_ message: Message.Reader) throws {
    switch try message.which {
    case .bootstrap(let body): calls.insert(body.questionId)
    case .call(let body):
      calls.insert(body.questionId)
      try note(body.params)
    case .`return`(let body): if case .results(let payload) = try body.which { try note(payload) }
    case .resolve(let body): if case .cap(let cap) = try body.which { try note(cap) }
    case .disembargo(let body):
      if case .senderLoopback(let id) = try body.context.which { embargoes.insert(id) }
    default: break
    }
  }

  private mutating func note(_ payload: Payload.Reader) throws {
    let table = try payload.capTable
    for index in table.indices { try note(table[index]) }
  }

  private mutating func note(_ cap: CapDescriptor.Reader) throws {
    switch try cap.which {
    case .senderHosted(let id), .senderPromise(let id): exports.insert(id)
    default: break
    }
  }
}
