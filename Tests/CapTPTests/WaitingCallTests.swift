import CapTP
import CapnProto
import Testing

/// Calls that cannot go yet.
@Suite struct WaitingCallTests {
  /// An engine that runs the peer's call 5, with a reference to what that will return.
  private func awaiting() throws -> (Engine, any ReferenceHandle, AnswerToken) {
    let engine = Engine(bootstrap: Object())
    _ = engine.receive { $0.bootstrapQuestion(4) }
    _ = engine.receive { $0.callExport(5, 0) }
    let token = try #require(engine.delivered.first?.token)
    _ = engine.receive { $0.callExport(6, 0) { $0.initReceiverAnswer().questionId = 5 } }
    let promised = try engine.lastParameter() as? any ReferenceHandle
    return (engine, try #require(promised), token)
  }

  @Test func `a call that waited is not overtaken by one that is made when it may go`() throws {
    let (engine, promised, token) = try awaiting()
    let handle = engine.remote()
    #expect(engine.call(promised.node, asker: Asker(), with: Object()) == [])
    let builder = MessageBuilder()
    builder.build(Message.Builder.self) {
      $0.initReturn().initResults().content.setCapability(handle)
    }
    engine.connection.returnResults(builder, for: token)
    // The runtime has done nothing yet when another thread calls.
    #expect(
      engine.call(promised.node, asker: Asker())
        == ["return 5: results yours 3", "call 0 of import 3 hosted 1", "call 1 of import 3"])
  }

  @Test func `a call of the peer that waited goes before one that arrives when it may go`() throws {
    let object = Object()
    let (engine, _, token) = try awaiting()
    _ = engine.receive { $0.callAnswer(7, of: 5) }
    // This one has arrived, but its step has not been taken.
    let late = MessageBuilder()
    late.build(Message.Builder.self) { $0.callAnswer(8, of: 5) }
    engine.connection.receive(late.freeze())
    _ = engine.answer(token, with: object)
    #expect(engine.delivered.dropFirst(2).allSatisfy { $0.hook === object })
    let (first, second) = (try engine.token(2), try engine.token(3))
    #expect(engine.fail(first, "first") == ["return 7: failed first"])
    #expect(engine.fail(second, "second") == ["return 8: failed second"])
  }

  @Test func `calls that came round before a disembargo go before those it lets go`() throws {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    let object = Object()
    _ = engine.call(handle.node, asker: Asker(), with: object)
    _ = engine.receive { $0.returnCapability(0) { $0.receiverHosted = 0 } }
    let asker = Asker()
    _ = engine.call(handle.node, asker: asker)
    // The call comes round and the disembargo after it, before the runtime has done anything.
    let round = MessageBuilder()
    round.build(Message.Builder.self) { $0.callExport(9, 0) }
    engine.connection.receive(round.freeze())
    _ = engine.receive { $0.disembargoed(0) }
    let order = engine.effects.compactMap { effect -> String? in
      switch effect {
      case .deliver: "came round"
      case .forward: "waited"
      default: nil
      }
    }
    #expect(order == ["came round", "waited"])
  }

  @Test func `a finish takes a call of the peer out of the queue`() throws {
    let (engine, _, token) = try awaiting()
    _ = engine.receive { $0.callAnswer(7, of: 5) { $0.senderHosted = 8 } }
    _ = engine.receive { $0.callAnswer(8, of: 5) }
    #expect(engine.receive { $0.finishQuestion(7) } == ["return 7: canceled"])
    // It is not delivered when the others are.
    let object = Object()
    _ = engine.answer(token, with: object)
    #expect(engine.delivered.count { $0.hook === object } == 1)
  }

  @Test func `a finish cancels a call of the peer that was sent back to it`() throws {
    let (engine, _, token) = try awaiting()
    let handle = engine.remote()
    _ = engine.receive { $0.callAnswer(7, of: 5) }
    #expect(
      engine.answer(token, with: handle) == ["return 5: results yours 3", "call 0 of import 3"])
    #expect(
      engine.receive { $0.finishQuestion(7) } == ["finish 0 and release", "return 7: canceled"])
  }

  @Test func `what comes for a call that was sent back is its outcome`() throws {
    for succeeds in [true, false] {
      let (engine, _, token) = try awaiting()
      let handle = engine.remote()
      _ = engine.receive { $0.callAnswer(7, of: 5) }
      _ = engine.answer(token, with: handle)
      let sent = try engine.receive {
        if succeeds {
          $0.returnCapability(0) { $0.senderHosted = 9 }
        } else {
          $0.initReturn().answerId = 0
          try $0.`return`.initException().reason = "no"
        }
      }
      #expect(sent == ["finish 0", succeeds ? "return 7: results yours 9" : "return 7: failed no"])
    }
  }

  @Test func `an own call that waits is cancelled where it is`() throws {
    let (engine, promised, token) = try awaiting()
    let (first, second) = (Asker(), Asker())
    _ = engine.call(promised.node, asker: first)
    _ = engine.call(promised.node, asker: second)
    engine.connection.dropCall(first)
    let object = Object()
    _ = engine.answer(token, with: object)
    #expect(engine.forwarded.count == 1)
    #expect(engine.forwarded.first?.caller === second)
    #expect(first.count == 0)
  }

  @Test func `calls that waited for a promise go before the peer's later ones on it`() throws {
    let promise = Promise()
    let object = Object()
    let engine = Engine(bootstrap: promise)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    // A reference that has turned out to be the object.
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    engine.connection.bootstrapHook = object
    _ = engine.receive { $0.bootstrapQuestion(1) }
    _ = engine.receive { $0.returnCapability(0) { $0.receiverHosted = 1 } }
    // The peer calls the promise once more while this side resolves it, and passes on what waited.
    let call = MessageBuilder()
    call.build(Message.Builder.self) { $0.callExport(2, 0) }
    engine.connection.receive(call.freeze())
    let asker = Asker()
    let passedOn = MessageBuilder()
    passedOn.build(Message.Builder.self) { _ = $0.initCall().initParams() }
    _ = engine.connection.call(handle.node, OutgoingCall(passedOn), caller: asker) { asker }
    promise.resolve(handle)
    _ = engine.sent()
    let order = engine.effects.compactMap { effect -> String? in
      switch effect {
      case .forward(_, let hook, _) where hook === object: "the one that waited"
      case .deliver(_, let hook, _) where hook === object: "the later one"
      default: nil
      }
    }
    #expect(order == ["the one that waited", "the later one"])
  }

  @Test func `an own call that waited and went to the peer is cancelled there`() throws {
    let (engine, promised, token) = try awaiting()
    let handle = engine.remote()
    let asker = Asker()
    _ = engine.call(promised.node, asker: asker)
    #expect(
      engine.answer(token, with: handle) == ["return 5: results yours 3", "call 0 of import 3"])
    engine.connection.dropCall(asker)
    #expect(engine.sent() == ["finish 0 and release"])
  }

  @Test func `a queue whose last call is cancelled does not keep its node`() throws {
    let engine = Engine(bootstrap: Object(), dropsHandles: true)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    _ = engine.receive { $0.callExport(1, 0) }
    _ = engine.receive { $0.callAnswer(2, of: 1) }
    _ = engine.receive { $0.finishQuestion(1) }
    // What is pipelined on it still wants it.
    #expect(engine.cancelled.isEmpty)
    #expect(engine.receive { $0.finishQuestion(2) } == ["return 2: canceled"])
    _ = engine.sent()
    #expect(engine.cancelled.count == 1)
    #expect(engine.connection.tableSizes.nodes == 0)
  }
}

extension Message.Builder {
  fileprivate func callAnswer(
    _ question: UInt32, of other: UInt32, with describe: (CapDescriptor.Builder) -> Void
  ) {
    let payload = callAnswer(question, of: other).params
    payload.content.setCapability(Object())
    describe(payload.initCapTable(1)[0])
  }
}
