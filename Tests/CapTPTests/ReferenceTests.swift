import CapTP
import CapnProto
import Testing

@Suite struct ReferenceTests {
  /// An engine that has asked for the bootstrap capability and called it once.
  private func called(_ asker: Asker) -> (Engine, NodeID) {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.call(handle.node, asker: asker)
    return (engine, handle.node)
  }

  @Test func `a capability that the peer hosts needs no embargo`() {
    let (engine, node) = called(Asker())
    let sent = engine.receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    #expect(sent == ["finish 0"])
    #expect(engine.call(node, asker: Asker()) == ["call 0 of import 3"])
  }

  @Test func `a capability of this side is called behind an embargo`() {
    let asker = Asker()
    let object = Object()
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.call(handle.node, asker: asker, with: object)
    let sent = engine.receive { $0.returnCapability(0) { $0.receiverHosted = 0 } }
    #expect(sent == ["disembargo answer 0 0", "finish 0"])
    // A later call waits until the earlier one has come round.
    #expect(engine.call(handle.node, asker: Asker()) == [])
    #expect(forwards(engine) == 0)
    _ = engine.receive {
      let disembargo = $0.initDisembargo()
      disembargo.initTarget().importedCap = 0
      disembargo.context.receiverLoopback = 0
    }
    #expect(forwards(engine) == 1)
  }

  @Test func `null and errors need no embargo`() {
    for isNull in [true, false] {
      let asker = Asker()
      let (engine, node) = called(Asker())
      let sent = engine.receive { message in
        if isNull {
          message.returnCapability(0) { $0.setNone() }
        } else {
          let body = message.initReturn()
          body.answerId = 0
          body.initException().reason = "no"
        }
      }
      #expect(sent == ["finish 0"])
      #expect(engine.call(node, asker: asker) == [])
      #expect(asker.error?.kind == .failed)
    }
  }

  @Test func `a disconnect fails calls behind an embargo and never delivers them`() {
    let waiting = Asker()
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.call(handle.node, asker: Asker(), with: Object())
    _ = engine.receive { $0.returnCapability(0) { $0.receiverHosted = 0 } }
    _ = engine.call(handle.node, asker: waiting)
    engine.connection.disconnect(.disconnected("cut"))
    _ = engine.sent()
    #expect(waiting.error == .disconnected("cut"))
    #expect(forwards(engine) == 0)
    engine.connection.dropReference(handle.node)
    #expect(engine.connection.tableSizes == TableSizes())
  }

  @Test func `a release says how often the capability was given`() {
    let (engine, node) = called(Asker())
    _ = engine.receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    _ = engine.receive { $0.returnCapability(1) { $0.senderHosted = 3 } }
    engine.connection.dropReference(node)
    // The results of the second call still hold it.
    #expect(engine.sent() == [])
    let held = engine.connection.tableSizes
    #expect(held.imports == 1)
    // The handles that results hold are the runtime's to drop; both stand for one import.
    var dropped: [String] = []
    for number in 0..<4 as Range<UInt32> where dropped.isEmpty {
      engine.connection.dropReference(NodeID(rawValue: number))
      dropped = engine.sent()
      if dropped.isEmpty {
        engine.connection.dropReference(NodeID(rawValue: number))
        dropped = engine.sent()
      }
    }
    #expect(dropped == ["release 3 × 2"])
  }

  @Test func `a finish that crosses the return leaves its capabilities to the peer`() {
    let asker = Asker()
    let (engine, _) = called(asker)
    engine.connection.dropQuestion(QuestionID(rawValue: 1), caller: asker)
    #expect(engine.sent() == ["finish 1 and release"])
    #expect(engine.receive { $0.returnCapability(1) { $0.senderHosted = 3 } } == [])
    #expect(engine.connection.tableSizes.imports == 0)
    #expect(engine.connection.tableSizes.questions == 1)
    #expect(asker.count == 0)
  }

  @Test func `a late resolve of a released promise releases what it carries`() {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 3 } }
    // The bootstrap's handle, and the one that the results hold.
    engine.connection.dropReference(handle.node)
    engine.connection.dropReference(NodeID(rawValue: 1))
    #expect(engine.sent() == ["release 3 × 1"])
    _ = engine.receive {
      let resolve = $0.initResolve()
      resolve.promiseId = 3
      resolve.initCap().senderHosted = 4
    }
    #expect(engine.connection.failure == nil)
    // Its handle went with an effect, which the runtime lets go of.
    engine.connection.dropReference(NodeID(rawValue: 0))
    #expect(engine.sent() == ["release 4 × 1"])
    #expect(engine.connection.tableSizes == TableSizes())
  }

  @Test func `params are released when the return says so`() {
    let (engine, _) = called(Asker())
    let object = Object()
    let handle = engine.connection.bootstrap()
    _ = engine.call(handle.node, asker: Asker(), with: object)
    #expect(engine.connection.tableSizes.exports == 1)
    _ = engine.receive {
      let body = $0.initReturn()
      body.answerId = 3
      _ = body.initResults()
    }
    #expect(engine.connection.tableSizes.exports == 0)
  }

  @Test func `a promise that resolves to itself is broken`() {
    let asker = Asker()
    let (engine, node) = called(Asker())
    _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 3 } }
    _ = engine.receive {
      let resolve = $0.initResolve()
      resolve.promiseId = 3
      resolve.initCap().senderPromise = 3
    }
    _ = engine.call(node, asker: asker)
    #expect(asker.error?.reason == "the promise resolved to itself")
  }

  @Test func `a call that is not sent leaves no question and no export`() {
    for isClosed in [true, false] {
      var limits = ConnectionLimits()
      limits.questions = 1
      let asker = Asker()
      let engine = Engine(limits: limits)
      let handle = engine.connection.bootstrap()
      if isClosed { engine.connection.disconnect(.disconnected("cut")) }
      _ = engine.sent()
      #expect(engine.call(handle.node, asker: asker, with: Object()) == [])
      #expect(asker.error?.kind == (isClosed ? .disconnected : .overloaded))
      #expect(engine.connection.tableSizes.questions == (isClosed ? 0 : 1))
      #expect(engine.connection.tableSizes.exports == 0)
    }
  }

  @Test func `a capability that is dropped does not cancel the calls that were made on it`() throws
  {
    let asker = Asker()
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    // The handle of the test, and the one that the results hold.
    _ = engine.call(handle.node, asker: asker)
    engine.connection.dropReference(handle.node)
    engine.connection.dropReference(NodeID(rawValue: 1))
    #expect(engine.sent() == [])
    #expect(
      try engine.receive {
        $0.initReturn().answerId = 0
        try $0.`return`.releaseParamCaps = false
        _ = try $0.`return`.initResults()
      } == ["finish 0", "release 3 × 1"])
    #expect(asker.hasResults)
    #expect(engine.connection.tableSizes == TableSizes())
  }

  @Test func `a promise that is exported again is a promise to the peer`() throws {
    let engine = Engine(bootstrap: Object())
    _ = engine.receive { $0.bootstrapQuestion(0) }
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    // What the peer's own call will return is given back to it before that is known.
    _ = engine.receive { $0.callExport(1, 0) }
    _ = engine.receive { $0.callExport(2, 0) { $0.initReceiverAnswer().questionId = 1 } }
    let promised = try engine.lastParameter()
    #expect(
      engine.call(handle.node, asker: Asker(), with: promised)
        == ["call 1 of answer 0 promise 1"])
    #expect(
      engine.call(handle.node, asker: Asker(), with: promised)
        == ["call 2 of answer 0 promise 1"])
    let token = try #require(engine.delivered.first?.token)
    #expect(
      engine.answer(token, with: Object())
        == ["return 1: results hosted 2", "resolve 1: hosted 2"])
  }

  @Test func `a promise that is given again and again has one watcher`() throws {
    let promise = Promise()
    let engine = Engine(bootstrap: Object())
    _ = engine.receive { $0.bootstrapQuestion(0) }
    for number in 1...10 as ClosedRange<UInt32> {
      _ = engine.receive { $0.callExport(number, 0) }
      let token = try #require(engine.delivered.last?.token)
      #expect(engine.answer(token, with: promise) == ["return \(number): results promise 1"])
    }
    #expect(engine.watched.count == 1)
    // The peer lets go of it: nobody waits for it any more, until it is given again.
    for number in 1...10 as ClosedRange<UInt32> {
      _ = engine.receive { $0.finishQuestion(number) }
    }
    #expect(engine.unwatched == engine.watched)
    _ = engine.receive { $0.callExport(11, 0) }
    let token = try #require(engine.delivered.last?.token)
    #expect(engine.answer(token, with: promise) == ["return 11: results promise 1"])
    #expect(engine.watched.count == 2)
    #expect(Set(engine.watched).count == 2)
  }

  @Test func `references to one promise are one export`() throws {
    let engine = Engine(bootstrap: Object())
    _ = engine.receive { $0.bootstrapQuestion(0) }
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.callExport(1, 0) }
    var sent: [String] = []
    for number in 2...4 as ClosedRange<UInt32> {
      _ = engine.receive { $0.callExport(number, 0) { $0.initReceiverAnswer().questionId = 1 } }
      sent += engine.call(handle.node, asker: Asker(), with: try engine.lastParameter())
    }
    #expect(sent.allSatisfy { $0.hasSuffix("promise 1") })
    let token = try #require(engine.delivered.first?.token)
    #expect(
      engine.answer(token, with: Object())
        == ["return 1: results hosted 2", "resolve 1: hosted 2"])
  }

  private func forwards(_ engine: Engine) -> Int {
    engine.effects.count { if case .forward = $0 { true } else { false } }
  }
}
