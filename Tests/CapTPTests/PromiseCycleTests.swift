import CapTP
import CapnProto
import Testing

@Suite struct PromiseCycleTests {
  private let itself = RPCError.failed("the promise resolved to itself")

  /// An engine that runs the peer's call 5 and holds the peer's promise 3.
  private func engine(callsPromise: Bool) throws -> (Engine, any ReferenceHandle, AnswerToken) {
    let engine = Engine(bootstrap: Object())
    _ = engine.receive { $0.bootstrapQuestion(4) }
    _ = engine.receive { $0.callExport(5, 0) }
    let token = try #require(engine.delivered.first?.token)
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 3 } }
    if callsPromise { _ = engine.call(handle.node, asker: Asker()) }
    return (engine, handle, token)
  }

  @Test func `an answer that is a promise, which becomes that answer, is broken`() throws {
    let (engine, handle, token) = try engine(callsPromise: false)
    #expect(engine.answer(token, with: handle) == ["return 5: results yours 3"])
    _ = engine.receive { $0.resolvePromise(3) { $0.initReceiverAnswer().questionId = 5 } }
    let asker = Asker()
    #expect(engine.call(handle.node, asker: asker) == [])
    #expect(asker.error == itself)
  }

  @Test func `a promise that waits for an answer, which becomes that promise, is broken`() throws {
    let (engine, handle, token) = try engine(callsPromise: false)
    _ = engine.receive { $0.resolvePromise(3) { $0.initReceiverAnswer().questionId = 5 } }
    let asker = Asker()
    #expect(engine.call(handle.node, asker: asker) == [])
    #expect(asker.count == 0)
    _ = engine.answer(token, with: handle)
    #expect(asker.error == itself)
  }

  @Test func `a cycle behind an embargo is broken when the embargo ends`() throws {
    let (engine, handle, token) = try engine(callsPromise: true)
    #expect(
      engine.receive { $0.resolvePromise(3) { $0.initReceiverAnswer().questionId = 5 } }
        == ["disembargo import 3 0", "release 3 × 1"])
    let asker = Asker()
    #expect(engine.call(handle.node, asker: asker) == [])
    _ = engine.answer(token, with: handle)
    #expect(asker.count == 0)
    _ = engine.receive { $0.disembargoed(0) }
    _ = engine.sent()
    #expect(asker.error == itself)
    #expect(engine.connection.failure == nil)
  }

  @Test func `promises of the peer that become one another do not spin`() {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 3 } }
    for _ in 0..<1000 {
      #expect(engine.receive { $0.resolvePromise(3) { $0.senderPromise = 4 } } == ["release 3 × 1"])
      #expect(engine.receive { $0.resolvePromise(4) { $0.senderPromise = 3 } } == ["release 4 × 1"])
    }
    #expect(engine.call(handle.node, asker: Asker()) == ["call 0 of import 3"])
    #expect(engine.connection.tableSizes.imports == 1)
  }

  @Test func `results that are led back to what was pinned of them are broken, and finished`()
    throws
  {
    let (engine, promise, token, handle) = try promising()
    let asker = Asker()
    #expect(engine.call(handle.node, asker: asker) == ["call 0 of import 3"])
    let pipelined = engine.pipelined(on: 0, asker)
    promise.resolve(try #require(pipelined))
    engine.connection.resolveExport(token, .success(promise))
    #expect(engine.sent() == ["resolve 0: answer 0"])
    #expect(
      engine.receive { $0.returnCapability(0) { $0.receiverHosted = 0 } } == ["finish 0"])
    #expect(engine.connection.tableSizes.questions == 0)
  }
}
