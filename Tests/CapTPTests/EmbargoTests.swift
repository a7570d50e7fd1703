import CapTP
import CapnProto
import Testing

@Suite struct EmbargoTests {
  /// An engine that has called the peer's promise 3.
  private func calledPromise() -> (Engine, NodeID) {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    #expect(engine.receive { $0.returnCapability(0) { $0.senderPromise = 3 } } == ["finish 0"])
    #expect(
      engine.call(handle.node, asker: Asker(), with: Object()) == ["call 0 of import 3 hosted 0"])
    return (engine, handle.node)
  }

  @Test func `a promise of the peer that becomes null or breaks needs no embargo`() {
    for isNull in [true, false] {
      let asker = Asker()
      let (engine, node) = calledPromise()
      let sent = engine.receive {
        if isNull { $0.resolvePromise(3) { $0.setNone() } } else { $0.breakPromise(3, "no") }
      }
      #expect(sent == ["release 3 × 1"])
      #expect(engine.call(node, asker: asker) == [])
      #expect(asker.error?.kind == .failed)
    }
  }

  @Test func `a promise of the peer that becomes an object of the peer needs no embargo`() {
    let (engine, node) = calledPromise()
    #expect(engine.receive { $0.resolvePromise(3) { $0.senderHosted = 4 } } == ["release 3 × 1"])
    #expect(engine.call(node, asker: Asker()) == ["call 1 of import 4"])
  }

  @Test func `a promise that becomes a promise and then comes home has an embargo`() {
    let (engine, node) = calledPromise()
    #expect(engine.receive { $0.resolvePromise(3) { $0.senderPromise = 4 } } == ["release 3 × 1"])
    // No call went to promise 4 itself, but the one to promise 3 comes by it.
    #expect(
      engine.receive { $0.resolvePromise(4) { $0.receiverHosted = 0 } }
        == ["disembargo import 4 0", "release 4 × 1"])
    #expect(engine.call(node, asker: Asker()) == [])
    #expect(engine.forwarded.isEmpty)
    _ = engine.receive { $0.disembargoed(0) }
    #expect(engine.forwarded.count == 1)
  }

  @Test func `a promise that leads to an answer of this side has an embargo`() throws {
    let object = Object()
    let asker = Asker()
    let (engine, node) = calledPromise()
    // The peer calls the object that it holds, and promises what that call will return.
    _ = engine.receive { $0.callExport(5, 0) }
    #expect(
      engine.receive { $0.resolvePromise(3) { $0.initReceiverAnswer().questionId = 5 } }
        == ["disembargo import 3 0", "release 3 × 1"])
    #expect(engine.call(node, asker: asker) == [])
    let token = try #require(engine.delivered.first?.token)
    #expect(engine.answer(token, with: object) == ["return 5: results hosted 1"])
    // What the answer is does not end the embargo: only the peer does.
    #expect(engine.forwarded.isEmpty)
    _ = engine.receive { $0.disembargoed(0) }
    #expect(engine.forwarded.first?.hook === object)
    #expect(engine.forwarded.first?.caller === asker)
  }

  @Test func `a pipelined capability that is got twice has one embargo`() throws {
    let (first, second, third) = (Asker(), Asker(), Asker())
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    let outer = Asker()
    #expect(
      engine.call(handle.node, asker: outer, with: Object())
        == ["bootstrap 0", "call 1 of answer 0 hosted 0"])
    let handles = (engine.pipelined(on: 1, outer), engine.pipelined(on: 1, outer))
    let once = try #require(handles.0)
    let again = try #require(handles.1)
    #expect(engine.call(once.node, asker: Asker()) == ["call 2 of answer 1"])
    #expect(engine.call(again.node, asker: Asker()) == ["call 3 of answer 1"])
    #expect(
      engine.receive { $0.returnCapability(1) { $0.receiverHosted = 0 } }
        == ["disembargo answer 1 0", "finish 1"])
    #expect(engine.call(once.node, asker: first) == [])
    #expect(engine.call(again.node, asker: second) == [])
    #expect(engine.call(once.node, asker: third) == [])
    _ = engine.receive { $0.disembargoed(0) }
    let order: [any Caller] = [first, second, third]
    #expect(engine.forwarded.count == 3)
    for (call, asker) in zip(engine.forwarded, order) { #expect(call.caller === asker) }
  }

  /// An engine whose promise the peer holds as export 0, and which has become the peer's promise 3.
  private func promiseThatLeadsBack() throws -> Engine {
    let promise = Promise()
    let engine = Engine(bootstrap: promise)
    #expect(engine.receive { $0.bootstrapQuestion(0) } == ["return 0: results promise 0"])
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 3 } }
    promise.resolve(handle)
    engine.connection.resolveExport(try #require(engine.watched.first), .success(promise))
    #expect(engine.sent() == ["resolve 0: yours 3"])
    return engine
  }

  @Test func `a disembargo is sent back after the calls before it`() throws {
    let engine = try promiseThatLeadsBack()
    #expect(engine.receive { $0.callExport(1, 0) } == ["call 0 of import 3"])
    #expect(
      engine.receive { $0.disembargo(7) { $0.importedCap = 0 } } == ["disembargoed import 3 7"])
  }

  @Test func `a disembargo waits until the calls before it have been handed on`() throws {
    let engine = try promiseThatLeadsBack()
    // Not even the first message's step has been taken when the second one arrives.
    let builder = MessageBuilder()
    builder.build(Message.Builder.self) { $0.callExport(1, 0) }
    engine.connection.receive(builder.freeze())
    #expect(
      engine.receive { $0.disembargo(7) { $0.importedCap = 0 } }
        == ["call 0 of import 3", "disembargoed import 3 7"])
  }

  @Test func `a disembargo is sent back although its target has come home meanwhile`() throws {
    let engine = try promiseThatLeadsBack()
    let other = engine.connection.bootstrap()
    _ = engine.call(other.node, asker: Asker(), with: Object())
    _ = engine.receive { $0.resolvePromise(3) { $0.receiverHosted = 1 } }
    #expect(
      engine.receive { $0.disembargo(7) { $0.importedCap = 0 } } == ["disembargoed import 3 7"])
    #expect(engine.connection.failure == nil)
  }

  @Test func `a disembargo waits for calls that wait`() throws {
    let (engine, promise, token, handle) = try promising()
    _ = engine.call(handle.node, asker: Asker(), with: Object())
    // Both vats resolve at once: this side's promise is the peer's, which leads to an answer here.
    promise.resolve(handle)
    _ = engine.receive { $0.callExport(5, 1) }
    _ = engine.receive { $0.resolvePromise(3) { $0.initReceiverAnswer().questionId = 5 } }
    engine.connection.resolveExport(token, .success(promise))
    #expect(engine.sent() == ["resolve 0: promise 2"])
    #expect(engine.receive { $0.callExport(6, 0) } == [])
    #expect(engine.receive { $0.disembargo(7) { $0.importedCap = 0 } } == [])
  }
}
