import CapTP
import CapnProto
import Testing

/// `noFinishNeeded` in rpc.capnp: results without capabilities are forgotten by who sent them.
@Suite struct ForgottenAnswerTests {
  /// The bit that the encoding gives to a `Bool` with ordinal 8 of `Return`.
  private static let noFinishNeeded = 33

  /// An engine whose object, the peer's export 0, has been called as question 1.
  private func called() throws -> (Engine, AnswerToken) {
    let engine = Engine(bootstrap: Object())
    _ = engine.receive { $0.bootstrapQuestion(0) }
    _ = engine.receive { $0.finishQuestion(0, releasing: false) }
    #expect(engine.receive { $0.callExport(1, 0) } == [])
    return (engine, try engine.token(0))
  }

  /// Whether the next message is a `Return` that needs no `Finish`.
  private func needsNoFinish(_ engine: Engine) throws -> Bool {
    let next = engine.connection.nextMessage()
    let message = try #require(next)
    return try message.reader.`return`._raw.readBool(Self.noFinishNeeded)
  }

  @Test func `results without capabilities need no finish, and are forgotten`() throws {
    let (engine, token) = try called()
    let results = MessageBuilder()
    results.build(Message.Builder.self) { _ = $0.initReturn().initResults() }
    engine.connection.returnResults(results, for: token)
    #expect(try needsNoFinish(engine))
    #expect(engine.connection.tableSizes.answers == 0)
    // One that comes all the same means nothing.
    #expect(engine.receive { $0.finishQuestion(1) } == [])
    #expect(engine.connection.failure == nil)
  }

  @Test func `an error is kept for calls on it until it is finished`() throws {
    let (engine, token) = try called()
    engine.connection.returnError(.failed("no"), for: token)
    #expect(try !needsNoFinish(engine))
    #expect(engine.receive { $0.callAnswer(2, of: 1) } == ["return 2: failed no"])
    _ = engine.receive { $0.finishQuestion(1) }
    _ = engine.receive { $0.finishQuestion(2) }
    #expect(engine.connection.tableSizes.answers == 0)
  }

  @Test func `results with capabilities are kept until they are finished`() throws {
    let (engine, token) = try called()
    let results = MessageBuilder()
    results.build(Message.Builder.self) {
      $0.initReturn().initResults().content.setCapability(Object())
    }
    engine.connection.returnResults(results, for: token)
    #expect(try !needsNoFinish(engine))
    #expect(engine.connection.tableSizes.answers == 1)
    _ = engine.receive { $0.finishQuestion(1) }
    #expect(engine.connection.tableSizes.answers == 0)
  }

  @Test func `a call on an answer that is forgotten fails, and nothing else does`() throws {
    let (engine, token) = try called()
    _ = engine.answer(token, with: nil)
    #expect(
      engine.receive { $0.callAnswer(2, of: 1) } == [
        "return 2: failed the call was finished, or its results have no capabilities"
      ])
    #expect(engine.connection.failure == nil)
    _ = engine.receive { $0.finishQuestion(2) }
    #expect(engine.connection.tableSizes.answers == 0)
  }

  @Test func `calls that wait for results without capabilities fail when these are sent`() throws {
    let (engine, token) = try called()
    #expect(engine.receive { $0.callAnswer(2, of: 1) } == [])
    #expect(
      engine.answer(token, with: nil) == [
        "return 1: results", "return 2: failed called a null capability",
      ])
    // The other one failed, which is kept.
    #expect(engine.connection.tableSizes.answers == 1)
  }

  /// An engine that has called the peer's export 3 as question 1.
  private func asking() throws -> (Engine, Asker, any ReferenceHandle) {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    let asker = Asker()
    #expect(engine.call(handle.node, asker: asker) == ["call 0 of import 3"])
    return (engine, asker, handle)
  }

  @Test(arguments: [false, true])
  func `a return that needs no finish gets none, and frees the question`(failing: Bool) throws {
    let (engine, asker, handle) = try asking()
    #expect(engine.receive { $0.returnWithoutFinish(0, failing: failing) } == [])
    #expect(asker.count == 1)
    #expect(asker.hasResults == !failing)
    #expect(engine.connection.tableSizes.questions == 0)
    #expect(engine.call(handle.node, asker: Asker()) == ["call 0 of import 3"])
  }

  @Test func `what was pipelined on results that are forgotten fails without a finish`() throws {
    let (engine, asker, _) = try asking()
    let promised = engine.pipelined(on: 0, asker)
    let pipelined = try #require(promised)
    let late = Asker()
    #expect(engine.receive { $0.returnWithoutFinish(0) } == [])
    #expect(engine.call(pipelined.node, asker: late) == [])
    #expect(late.error?.reason == "called a null capability")
    #expect(engine.connection.tableSizes.questions == 0)
  }

  @Test func `a finish that crosses such a return frees the question once`() throws {
    let (engine, asker, _) = try asking()
    engine.connection.dropQuestion(QuestionID(rawValue: 0), caller: asker)
    #expect(engine.sent() == ["finish 0 and release"])
    #expect(engine.receive { $0.returnWithoutFinish(0) } == [])
    #expect(asker.count == 0)
    #expect(engine.connection.tableSizes.questions == 0)
    #expect(engine.connection.failure == nil)
  }
}
