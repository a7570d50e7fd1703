import CapTP
import CapnProto
import CapnProtoRPC
import Synchronization

/// A reference that a vat holds.
struct HeldReference: Sendable {
  let id: Int
  let vat: Int
  let target: any CallTarget
  let shadow: Shadow
}

/// A call whose object has not answered it.
struct OpenAnswer: Sendable {
  let call: Int
  let vat: Int
  let responder: any Responder
  let cancellation: CallCancellation
}

/// A call that a vat has made and not dropped.
struct OpenCall: Sendable {
  let id: Int
  let vat: Int
  let token: CallToken
  var hasEnded = false
}

/// A promise of a vat's application that is not settled.
struct OpenPromise: Sendable {
  let vat: Int
  let promise: QueuedCapability
  let variable: Int
}

/// A connection, which is not kept.
struct Watched: Sendable {
  weak let connection: RPCConnection?
}

/// What lies in the vats, and the observer's model of it.
///
/// The lock is never held while code of the runtime runs, and nothing is let go of under it.
final class SimulatedWorld: Sendable {
  struct State {
    var held: [HeldReference] = []
    var answers: [OpenAnswer] = []
    var calls: [OpenCall] = []
    var promises: [OpenPromise] = []
    var model = ShadowModel()
    var parameters: [Int: Shadow] = [:]
    var transcript: [String] = []
    var lastReference = 0
    var lastObject = 0
    var liveObjects = 0
    var liveDescriptors = 0
    /// Capabilities that arrived with the descriptor of their object.
    var descriptorsSeen = 0
    /// What a connection let go of under its lock, in words.
    var lostUnderLock: [String] = []
    var connections: [Watched] = []
    var turns: [Int: [@Sendable () -> Void]] = [:]
  }
  let state = Mutex(State())
  private let isTraced: Bool

  init(isTraced: Bool) { self.isTraced = isTraced }

  func note(_ line: @autoclosure () -> String) {
    guard isTraced else { return }
    let line = line()
    state.withLock { $0.transcript.append(line) }
  }

  func objectMade() { state.withLock { $0.liveObjects += 1 } }

  func objectGone(_ id: Int) {
    state.withLock { $0.liveObjects -= 1 }
    lost { "object \(id)" }
  }

  /// A descriptor that is not open, so that closing it does nothing.
  func makeDescriptor(_ number: Int) -> OpenDescriptor {
    state.withLock { $0.liveDescriptors += 1 }
    return OpenDescriptor(owning: CInt(number)) { _ in
      self.state.withLock { $0.liveDescriptors -= 1 }
      self.lost { "descriptor \(number)" }
    }
  }

  /// From now on the connection must let go of nothing under its lock.
  func watch(_ connection: RPCConnection) {
    state.withLock { state in
      state.connections.removeAll { $0.connection == nil }
      state.connections.append(Watched(connection: connection))
    }
  }

  /// What is let go of may run code of an application, which may use any connection.
  private func lost(_ thing: () -> String) {
    // Looked at outside of the lock, as the last reference may go here.
    let connections = state.withLock { $0.connections }
    guard connections.contains(where: { $0.connection?.isLocked == true }) else { return }
    let violation = "\(thing()) is let go of under a connection's lock"
    state.withLock { $0.lostUnderLock.append(violation) }
  }

  func makeObject(in vat: Int) -> SimulatedObject {
    let id = state.withLock { state in
      state.lastObject += 1
      return state.lastObject
    }
    return SimulatedObject(id, vat: vat, self)
  }

  @discardableResult
  func hold(_ target: any CallTarget, as shadow: Shadow, in vat: Int) -> Int {
    let descriptor = target.attachedDescriptor
    return state.withLock { state in
      if let descriptor { state.check(Int(descriptor.rawValue), of: shadow) }
      state.lastReference += 1
      state.held.append(
        HeldReference(id: state.lastReference, vat: vat, target: target, shadow: shadow))
      return state.lastReference
    }
  }

  func execute(in vat: Int, _ work: @escaping @Sendable () -> Void) {
    state.withLock { $0.turns[vat, default: []].append(work) }
  }

  var vatsWithWork: [Int] {
    state.withLock { $0.turns.filter { !$0.value.isEmpty }.keys.sorted() }
  }

  func runOne(in vat: Int) {
    let work = state.withLock { $0.turns[vat]?.removeFirst() }
    work?()
  }

  func delivered(
    _ call: Int, to object: SimulatedObject, _ parameter: (any CallTarget)?,
    _ responder: any Responder, _ cancellation: CallCancellation
  ) {
    note("  vat \(object.vat): call \(call) arrives at object \(object.id)")
    let shadow = state.withLock { state in
      state.model.delivered(call, to: object.id)
      return state.parameters[call]
    }
    if let parameter, let shadow { hold(parameter, as: shadow, in: object.vat) }
    cancellation.start { self.note("  vat \(object.vat): call \(call) is cancelled") }
    // Some objects answer at once, with themselves.
    if call % 4 == 3 {
      state.withLock { $0.model.answered(call, .object(object.id)) }
      cancellation.end()
      responder.returnResults(Self.results(object))
      return
    }
    let answer = OpenAnswer(
      call: call, vat: object.vat, responder: responder, cancellation: cancellation)
    state.withLock { $0.answers.append(answer) }
  }

  static func results(_ hook: (any CapabilityHook)?) -> MessageBuilder {
    let message = MessageBuilder()
    message.build(Message.Builder.self) {
      $0.initReturn().initResults().content.setCapability(hook)
    }
    return message
  }

  /// Notes which calls have ended, and takes what they gave.
  func takeOutcomes() {
    let open = state.withLock { $0.calls.filter { !$0.hasEnded } }
    for call in open {
      guard let outcome = call.token.call.outcomeSoFar else { continue }
      var succeeded = false
      if case .success(let message) = outcome {
        succeeded = true
        let hook = try? message.reader.`return`.results.content.capability()
        if let target = hook as? any CallTarget {
          let result = state.withLock { $0.model.calls[call.id].result }
          let reference = hold(target, as: .variable(result), in: call.vat)
          note("  vat \(call.vat): call \(call.id) gave reference \(reference)")
        } else {
          note("  vat \(call.vat): call \(call.id) gave null")
        }
      } else {
        note("  vat \(call.vat): call \(call.id) failed: \(outcome)")
      }
      state.withLock { state in
        state.model.ended(call.id, succeeded: succeeded)
        for index in state.calls.indices where state.calls[index].id == call.id {
          state.calls[index].hasEnded = true
        }
      }
    }
  }
}

extension SimulatedWorld.State {
  /// A capability that a vat got came with the descriptor.
  fileprivate mutating func check(_ descriptor: Int, of shadow: Shadow) {
    let known = model.known(shadow)
    switch known {
    case .object(-1 - descriptor): descriptorsSeen += 1
    // A result that a cut took from its caller was pipelined on all the same.
    case .broken where model.isCut: break
    default: model.report("descriptor \(descriptor) came with \(known)")
    }
  }
}
