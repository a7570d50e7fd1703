// Vats that run in one thread, in an order that a seed decides: which message arrives next, which
// connection does its next piece of work, and what the applications do. An observer that sees every
// vat keeps a model of where each reference leads, and checks that each call arrives there, once,
// in the order in which the calls on a reference were made, that each ends, that nothing is left in
// any table when everything has been let go of, and that no object or descriptor goes under a
// connection's lock.

import CapTP
import CapnProto
public import CapnProtoRPC
import Synchronization

/// Runs vats against each other in an order that a seed decides, and says which rules they broke.
public struct Simulation: Sendable {
  /// How a run came out.
  public struct Report: Sendable {
    /// Decides the run.
    public let seed: UInt64
    /// Rules that were broken, in words; empty if all held.
    public let violations: [String]
    /// What happened, line by line, if the run was traced.
    public let transcript: [String]
    /// Calls that were made.
    public let calls: Int
    /// Messages and pieces of work that were handled.
    public let steps: Int
    /// Connections that there were.
    public let connections: Int
    /// Capabilities that arrived with the descriptor of their object.
    public let descriptors: Int
  }

  /// How large a run is, and what is wrong with its network.
  public struct Setting: Sendable {
    /// Vats, each connected with each other one; at least two.
    public var vats = 3
    /// Things that the applications do: make calls, drop them, answer, resolve promises.
    public var actions = 120
    /// Messages and pieces of work after which a run is given up as endless.
    public var steps = 50_000
    /// Whether messages overtake each other now and then, which no transport may allow: runs must
    /// then break rules, or the observer sees nothing.
    public var overtakes = false
    /// What each vat may make its peers hold.
    public var limits = ConnectionLimits()

    /// A run of usual size over a network that works.
    public init() {}
  }

  struct Link: Sendable {
    let vats: (Int, Int)
    let ends: (SimulatedEnd, SimulatedEnd)
    let connections: (RPCConnection, RPCConnection)
  }

  var random: SeededGenerator
  let world: SimulatedWorld
  let setting: Setting
  let mayCut: Bool
  var links: [Link] = []
  private var steps = 0

  /// Runs the vats until all is quiet.
  ///
  /// - Parameters:
  ///   - seed: decides the run.
  ///   - setting: how large it is.
  ///   - traced: whether the report has a transcript.
  /// - Returns: which rules were broken.
  public static func run(seed: UInt64, setting: Setting = Setting(), traced: Bool = false) -> Report
  {
    var simulation = Simulation(
      random: SeededGenerator(seed: seed), setting: setting, traced: traced)
    simulation.connect(carryingDescriptors: seed % 2 == 0)
    simulation.act()
    simulation.comeToRest()
    simulation.checkNothingIsLeft()
    return simulation.world.state.withLock { state in
      Report(
        seed: seed, violations: state.model.violations + state.lostUnderLock,
        transcript: state.transcript,
        calls: state.model.calls.count, steps: simulation.steps,
        connections: simulation.links.count,
        descriptors: state.descriptorsSeen)
    }
  }

  init(random: SeededGenerator, setting: Setting, traced: Bool) {
    self.random = random
    self.setting = setting
    world = SimulatedWorld(isTraced: traced)
    mayCut = self.random.once(in: 4)
  }

  private mutating func connect(carryingDescriptors carries: Bool) {
    for first in 0..<setting.vats {
      for second in first + 1..<setting.vats {
        let drainsAtOnce = random.once(in: 2)
        let here = SimulatedEnd(drainsAtOnce: drainsAtOnce, carriesDescriptors: carries)
        let there = SimulatedEnd(drainsAtOnce: drainsAtOnce, carriesDescriptors: carries)
        let objects = (world.makeObject(in: first), world.makeObject(in: second))
        let one = RPCConnection(
          bootstrap: Capability(objects.0), limits: setting.limits, transport: here, executor: here)
        let two = RPCConnection(
          bootstrap: Capability(objects.1), limits: setting.limits, transport: there,
          executor: there)
        for connection in [one, two] { world.watch(connection) }
        links.append(Link(vats: (first, second), ends: (here, there), connections: (one, two)))
        world.hold(
          one.bootstrapCapability().target, as: .object(objects.1.id), in: first)
        world.hold(
          two.bootstrapCapability().target, as: .object(objects.0.id), in: second)
      }
    }
  }

  private mutating func act() {
    var actions = setting.actions
    while actions > 0 {
      if random.once(in: 3) || !step() {
        act(of: &actions)
      }
    }
  }

  private mutating func act(of actions: inout Int) {
    actions -= 1
    takeAction()
    world.takeOutcomes()
  }

  /// Lets one message arrive, or one piece of work be done; false if all is quiet.
  mutating func step() -> Bool {
    enum Event {
      case arrival(Int, toFirst: Bool)
      case work(Int, ofFirst: Bool)
      case turn(Int)
    }
    var events: [Event] = []
    for (index, link) in links.enumerated() {
      if link.ends.1.hasSent { events.append(.arrival(index, toFirst: true)) }
      if link.ends.0.hasSent { events.append(.arrival(index, toFirst: false)) }
      if link.ends.0.hasWork { events.append(.work(index, ofFirst: true)) }
      if link.ends.1.hasWork { events.append(.work(index, ofFirst: false)) }
    }
    for vat in world.vatsWithWork { events.append(.turn(vat)) }
    guard let event = events.randomElement(using: &random) else { return false }
    steps += 1
    switch event {
    case .arrival(let index, let toFirst):
      let link = links[index]
      let (from, to) = toFirst ? (link.vats.1, link.vats.0) : (link.vats.0, link.vats.1)
      let outOfTurn = setting.overtakes && random.once(in: 8)
      let words =
        toFirst
        ? link.ends.1.deliverOne(
          to: link.connections.0, at: link.ends.0, outOfTurn: outOfTurn)
        : link.ends.0.deliverOne(
          to: link.connections.1, at: link.ends.1, outOfTurn: outOfTurn)
      world.note("\(from) -> \(to): \(words)")
    case .work(let index, let ofFirst):
      (ofFirst ? links[index].ends.0 : links[index].ends.1).runOne()
    case .turn(let vat): world.runOne(in: vat)
    }
    world.takeOutcomes()
    return true
  }

  /// False if the vats do not come to rest in the steps that a run may take.
  mutating func runUntilQuiet() -> Bool {
    while step() {
      if steps > setting.steps {
        world.state.withLock { $0.model.report("the vats do not come to rest") }
        return false
      }
    }
    return true
  }

  private mutating func comeToRest() {
    repeat {
      world.takeOutcomes()
      guard runUntilQuiet() else { return }
    } while answerAny() || settleAny()
    world.state.withLock { $0.model.checkEnds() }
  }

  private mutating func checkNothingIsLeft() {
    // Let go of outside of the lock.
    let (held, calls) = world.state.withLock { state in
      defer { (state.held, state.calls) = ([], []) }
      return (state.held, state.calls)
    }
    withExtendedLifetime((held, calls)) {}
    dropped(held, calls)
  }

  private mutating func dropped(_ held: consuming [HeldReference], _ calls: consuming [OpenCall]) {
    held = []
    calls = []
    guard runUntilQuiet() else { return }
    for link in links {
      for (vat, connection) in [
        (link.vats.0, link.connections.0), (link.vats.1, link.connections.1),
      ] where connection.tableSizes != TableSizes() {
        world.state.withLock {
          $0.model.report(
            "vat \(vat)'s tables of \(link.vats) are not empty: \(connection.tableSizes)")
        }
      }
      link.connections.0.close()
      link.connections.1.close()
    }
    guard runUntilQuiet() else { return }
    world.state.withLock { state in
      if state.liveObjects > 0 {
        state.model.report("\(state.liveObjects) objects are not released")
      }
      if state.liveDescriptors > 0 {
        state.model.report("\(state.liveDescriptors) descriptors are not released")
      }
    }
  }
}
