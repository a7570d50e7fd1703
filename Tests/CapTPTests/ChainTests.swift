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
}
