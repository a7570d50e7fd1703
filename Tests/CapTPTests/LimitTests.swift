import CapTP
import CapnProto
import Testing

/// Limits of a connection: what happens at each, and that it is counted.
@Suite struct LimitTests {
  private func limited(_ change: (inout ConnectionLimits) -> Void) -> Engine {
    var limits = ConnectionLimits()
    change(&limits)
    let engine = Engine(bootstrap: Object(), limits: limits)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    return engine
  }

  private func reached(_ engine: Engine) -> [ConnectionLimit: Int] {
    engine.connection.statistics.limitsReached
  }

  @Test func `too many calls of the peer end the connection`() {
    let engine = limited { $0.answers = 3 }
    _ = engine.receive { $0.callExport(1, 0) }
    _ = engine.receive { $0.callExport(2, 0) }
    #expect(engine.receive { $0.callExport(3, 0) } == ["abort: more than 3 calls are open at once"])
    #expect(reached(engine) == [.answers: 1])
  }

  @Test func `calls of this side over the limit fail and end nothing`() {
    let engine = limited { $0.questions = 2 }
    let handle = engine.connection.bootstrap()
    let askers = [Asker(), Asker(), Asker()]
    for asker in askers { _ = engine.call(handle.node, asker: asker) }
    #expect(askers.map { $0.error?.kind } == [nil, .overloaded, .overloaded])
    _ = engine.connection.bootstrap()
    #expect(reached(engine) == [.questions: 3])
    #expect(engine.connection.failure == nil)
  }

  @Test func `a payload with too many capabilities ends the connection`() throws {
    let engine = limited { $0.imports = 2 }
    let sent = try engine.receive {
      $0.callExport(1, 0)
      let table = try $0.call.params.initCapTable(3)
      for index in 0..<3 { table[index].senderHosted = UInt32(index) }
    }
    #expect(sent == ["abort: a payload has more than 2 capabilities"])
    #expect(reached(engine) == [.imports: 1])
  }

  @Test func `too many capabilities of the peer end the connection`() {
    let engine = limited { $0.imports = 2 }
    for id in 1...2 as ClosedRange<UInt32> {
      #expect(engine.receive { $0.callExport(id, 0) { $0.senderHosted = id } } == [])
    }
    #expect(
      engine.receive { $0.callExport(3, 0) { $0.senderHosted = 3 } }
        == ["abort: this side holds more than 2 capabilities"])
    #expect(reached(engine) == [.imports: 1])
  }

  @Test func `too many capabilities that the peer holds end the connection`() throws {
    let engine = limited { $0.exports = 2 }
    for id in 1...2 as ClosedRange<UInt32> { _ = engine.receive { $0.callExport(id, 0) } }
    _ = engine.answer(try engine.token(0), with: Object())
    let sent = engine.answer(try engine.token(1), with: Object())
    #expect(sent.contains("abort: the peer holds more than 2 capabilities"))
    #expect(reached(engine) == [.exports: 1])
  }

  @Test func `capabilities after the one that ends the connection are not exported`() throws {
    let engine = limited { $0.exports = 2 }
    _ = engine.receive { $0.callExport(1, 0) }
    let builder = MessageBuilder()
    builder.build(Message.Builder.self) {
      let list = $0.initReturn().initResults().content.initList(
        of: AnyPointerBuilder.self, count: 4)
      for index in list.indices { list[index].setCapability(Object()) }
    }
    engine.connection.returnResults(builder, for: try engine.token(0))
    #expect(engine.sent() == ["abort: the peer holds more than 2 capabilities"])
    // Nobody would release them.
    #expect(engine.connection.tableSizes == TableSizes())
  }

  @Test func `calls over the limit of those that wait are answered so`() {
    let engine = limited { $0.queuedCalls = 1 }
    _ = engine.receive { $0.callExport(1, 0) }
    #expect(engine.receive { $0.callAnswer(2, of: 1) } == [])
    #expect(
      engine.receive { $0.callAnswer(3, of: 1) }
        == ["return 3: overloaded more than 1 calls wait for promises"])
    #expect(reached(engine) == [.queuedCalls: 1])
    #expect(engine.connection.statistics.queuedCalls == 1)
  }

  @Test func `calls that wait for others are counted`() {
    let engine = limited { $0.wordsInFlight = 1 }
    for id in 1...3 as ClosedRange<UInt32> { _ = engine.receive { $0.callExport(id, 0) } }
    #expect(engine.delivered.count == 1)
    #expect(reached(engine) == [.wordsInFlight: 2])
    let statistics = engine.connection.statistics
    #expect(statistics.callsReceived == 3)
    #expect(statistics.wordsInFlight > 0)
    #expect(statistics.wordsHeld == 2 * statistics.wordsInFlight)
  }
}
