import CapTP
import CapnProto
import Testing

/// Chains whose length an application or a peer decides.
@Suite(.timeLimit(.minutes(5))) struct ChainTests {
  private static let length: UInt32 = 20_000

  @Test func `a long chain of promises of the peer is shortened`() {
    let engine = Engine(dropsHandles: true)
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 1 } }
    for id in 1..<Self.length {
      #expect(
        engine.receive { $0.resolvePromise(id) { $0.senderPromise = id + 1 } }
          == ["release \(id) × 1"])
    }
    #expect(engine.call(handle.node, asker: Asker()) == ["call 0 of import \(Self.length)"])
    #expect(engine.connection.tableSizes.nodes == 2)
    #expect(engine.connection.tableSizes.imports == 1)
  }

  @Test func `a long chain of pipelined calls is finished one after the other`() throws {
    var limits = ConnectionLimits()
    limits.questions = Int(Self.length) + 1
    let engine = Engine(limits: limits, dropsHandles: true)
    var handle: (any ReferenceHandle)? = engine.connection.bootstrap()
    _ = engine.sent()
    // The bootstrap is question 0.
    for question in 1...Self.length {
      let asker = Asker()
      _ = engine.call(try #require(handle).node, asker: asker)
      handle = engine.pipelined(on: question, asker)
      engine.connection.dropQuestion(QuestionID(rawValue: question), caller: asker)
    }
    #expect(engine.connection.tableSizes.questions == Int(Self.length) + 1)
    handle = nil
    let sent = engine.sent()
    #expect(sent.first == "finish \(Self.length) and release")
    #expect(sent.last == "finish 0 and release")
    #expect(sent.count == Int(Self.length) + 1)
    #expect(engine.connection.tableSizes.nodes == 0)
  }

  @Test func `a long chain of tail calls of the peer is cancelled one after the other`() throws {
    var limits = ConnectionLimits()
    limits.answers = Int(Self.length) + 10
    limits.questions = limits.answers
    limits.queuedCalls = limits.answers
    let engine = Engine(bootstrap: Object(), limits: limits)
    _ = engine.receive { $0.bootstrapQuestion(4) }
    _ = engine.receive { $0.callExport(5, 0) }
    let token = try engine.token(0)
    let handle = engine.remote()
    // Each call goes back to the peer, as a question, and takes its outcome from the next call.
    let first: UInt32 = 100
    for number in 0..<Self.length {
      _ = try engine.receive {
        $0.callAnswer(first + number, of: 5)
        try $0.call.initSendResultsTo().setYourself()
      }
    }
    #expect(engine.answer(token, with: handle).count == Int(Self.length) + 1)
    for number in 1..<Self.length {
      #expect(engine.receive { $0.takeFrom(number - 1, first + number) } == [])
    }
    for number in (1..<Self.length).reversed() {
      #expect(engine.receive { $0.finishQuestion(first + number) } == [])
    }
    let sent = engine.receive { $0.finishQuestion(first) }
    #expect(sent.count { $0.hasPrefix("finish") } == Int(Self.length))
    #expect(sent.count { $0.hasPrefix("return") } == Int(Self.length))
    // The peer is still to return the last one, which takes its outcome from no other.
    #expect(engine.connection.tableSizes.questions == 1)
    #expect(engine.connection.failure == nil)
  }
}
