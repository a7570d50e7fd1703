import CapTP
import CapnProto
import Testing

/// What the peer was told that a promise is, is where its calls on the promise go for good (the
/// "Tribble 4-way race condition" of rpc.capnp).
@Suite struct PinningTests {
  /// The engine gives the peer an object, as export 1.
  private func give(_ object: Object, _ engine: Engine, _ handle: any ReferenceHandle) {
    _ = engine.call(handle.node, asker: Asker(), with: object)
  }

  @Test func `calls on a promise go where its resolve said, whatever that has become`() throws {
    let (engine, promise, token, handle) = try promising()
    let object = Object()
    give(object, engine, handle)
    promise.resolve(handle)
    engine.connection.resolveExport(token, .success(promise))
    #expect(engine.sent() == ["resolve 0: yours 3"])
    // The peer's promise is this side's object. It is called by way of the peer all the same.
    #expect(
      engine.receive { $0.resolvePromise(3) { $0.receiverHosted = 1 } }
        == ["disembargo import 3 0"])
    #expect(engine.receive { $0.callExport(5, 0) } == ["call 1 of import 3"])
    #expect(engine.delivered.isEmpty)
    // The peer lets go of the promise, and the promise that it stands for can go as well.
    _ = try engine.receive {
      $0.initReturn().answerId = 1
      try $0.`return`.initException().reason = "done"
    }
    _ = engine.receive { $0.finishQuestion(5) }
    _ = engine.receive { $0.finishQuestion(0, releasing: false) }
    #expect(engine.receive { $0.releaseExport(0, 1) } == [])
    withExtendedLifetime(handle) {}
  }

  @Test func `an import whose promise was announced is released when the peer lets go of that`()
    throws
  {
    let promise = Promise()
    let engine = Engine(bootstrap: promise, dropsHandles: true)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    let token = try #require(engine.watched.first)
    var handle: (any ReferenceHandle)? = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 3 } }
    engine.effects = []
    promise.resolve(try #require(handle))
    engine.connection.resolveExport(token, .success(promise))
    #expect(engine.sent() == ["resolve 0: yours 3"])
    promise.resolve(Object())
    handle = nil
    engine.effects = []
    #expect(engine.sent() == [])
    #expect(engine.receive { $0.finishQuestion(0, releasing: true) } == [])
    engine.effects = []
    #expect(engine.sent() == ["release 3 × 1"])
    #expect(handle == nil)
  }

  @Test func `calls on results go where the return said, whatever that has become`() throws {
    let (engine, _, _, handle) = try promising()
    let object = Object()
    give(object, engine, handle)
    _ = engine.receive { $0.callExport(5, 1) }
    let token = try #require(engine.delivered.first?.token)
    #expect(engine.answer(token, with: handle) == ["return 5: results yours 3"])
    _ = engine.receive { $0.resolvePromise(3) { $0.receiverHosted = 1 } }
    #expect(engine.receive { $0.callAnswer(6, of: 5) } == ["call 1 of import 3"])
    #expect(engine.delivered.count == 1)
  }

  @Test func `calls that were pipelined go where the return said as well`() throws {
    let (engine, _, _, handle) = try promising()
    let object = Object()
    give(object, engine, handle)
    _ = engine.receive { $0.callExport(5, 1) }
    #expect(engine.receive { $0.callAnswer(6, of: 5) } == [])
    let token = try #require(engine.delivered.first?.token)
    #expect(
      engine.answer(token, with: handle) == ["return 5: results yours 3", "call 1 of import 3"])
    _ = engine.receive { $0.resolvePromise(3) { $0.receiverHosted = 1 } }
    #expect(engine.receive { $0.callAnswer(7, of: 5) } == ["call 2 of import 3"])
  }

  @Test func `a pipelined capability that was announced is called there after its return`() throws {
    let (engine, promise, token, handle) = try promising()
    let asker = Asker()
    #expect(
      engine.call(handle.node, asker: asker, with: Object()) == ["call 0 of import 3 hosted 1"])
    let pipelined = engine.pipelined(on: 0, asker)
    promise.resolve(try #require(pipelined))
    engine.connection.resolveExport(token, .success(promise))
    #expect(engine.sent() == ["resolve 0: answer 0"])
    // The question stays open, as the peer's calls are made on its results.
    #expect(engine.receive { $0.returnCapability(0) { $0.senderHosted = 8 } } == [])
    #expect(asker.hasResults)
    #expect(engine.receive { $0.callExport(5, 0) } == ["call 1 of answer 0"])
    _ = try engine.receive {
      $0.initReturn().answerId = 1
      try $0.`return`.initException().reason = "done"
    }
    #expect(engine.connection.tableSizes.questions == 1)
    // It has returned: the peer cannot say now that it did not understand it.
    _ = engine.receive { $0.initUnimplemented().initCall().questionId = 0 }
    #expect(
      engine.connection.failure?.reason.contains("question 0, which is not open") == true)
  }

  @Test(arguments: [(false, "called a null capability"), (true, "no")])
  func `a pipelined capability that was announced ends as the answer that the peer has forgotten`(
    failing: Bool, reason: String
  ) throws {
    let (engine, promise, token, handle) = try promising()
    let asker = Asker()
    _ = engine.call(handle.node, asker: asker, with: Object())
    let pipelined = engine.pipelined(on: 0, asker)
    promise.resolve(try #require(pipelined))
    engine.connection.resolveExport(token, .success(promise))
    #expect(engine.sent() == ["resolve 0: answer 0"])
    #expect(engine.receive { $0.returnWithoutFinish(0, failing: failing) } == [])
    #expect(engine.connection.tableSizes.questions == 0)
    // The peer knows no answer 0 any more.
    #expect(
      engine.receive { $0.callExport(5, 0) } == ["return 5: failed \(reason)"])
    #expect(engine.connection.failure == nil)
  }

  @Test func `a promise that comes back by way of the peer has an embargo`() throws {
    let (engine, promise, token, handle) = try promising()
    // The peer has another promise, 4, which is called and becomes this side's promise 0.
    let other = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 4 } }
    #expect(engine.call(other.node, asker: Asker()) == ["call 0 of import 4"])
    promise.resolve(handle)
    engine.connection.resolveExport(token, .success(promise))
    _ = engine.sent()
    // That stands for the peer's promise 3, but the call takes the way by both vats.
    #expect(
      engine.receive { $0.resolvePromise(4) { $0.receiverHosted = 0 } }
        == ["disembargo import 4 0", "release 4 × 1"])
    let asker = Asker()
    #expect(engine.call(other.node, asker: asker) == [])
    #expect(engine.receive { $0.callExport(9, 0) } == ["call 1 of import 3"])
    #expect(engine.receive { $0.disembargoed(0) } == ["call 2 of import 3"])
  }
}
