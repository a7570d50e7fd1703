import CapTP
import CapnProto
import Testing

/// Calls that their caller takes back with an error.
@Suite struct FailedQuestionTests {
  private static let late = RPCError.timedOut(after: .seconds(1))

  @Test func `a question that has failed for its caller is finished`() {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    let asker = Asker()
    #expect(engine.call(handle.node, asker: asker) == ["call 0 of import 3"])
    engine.connection.failQuestion(QuestionID(rawValue: 0), Self.late, caller: asker)
    #expect(engine.sent() == ["finish 0 and release"])
    // Its caller knows.
    #expect(asker.count == 0)
  }

  @Test func `capabilities that were pipelined on it fail and do not keep it`() throws {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    let asker = Asker()
    _ = engine.call(handle.node, asker: asker)
    let found = engine.pipelined(on: 0, asker)
    let pipelined = try #require(found)
    let early = Asker()
    #expect(engine.call(pipelined.node, asker: early) == ["call 1 of answer 0"])
    engine.connection.failQuestion(QuestionID(rawValue: 0), Self.late, caller: asker)
    #expect(engine.sent() == ["finish 0 and release"])
    let late = Asker()
    #expect(engine.call(pipelined.node, asker: late) == [])
    #expect(late.error?.isTimeout == true)
    // The call that went out before ends as the peer says.
    #expect(early.count == 0)
    engine.connection.dropReference(pipelined.node)
    #expect(engine.sent() == [])
    _ = try engine.receive {
      $0.initReturn().answerId = 1
      try $0.`return`.initException().reason = "no"
    }
    #expect(early.error?.reason == "no")
  }

  @Test func `only the caller of a question can fail it`() {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    _ = engine.call(handle.node, asker: Asker())
    engine.connection.failQuestion(QuestionID(rawValue: 0), Self.late, caller: Asker())
    engine.connection.failQuestion(QuestionID(rawValue: 7), Self.late, caller: Asker())
    #expect(engine.sent() == [])
  }

  @Test func `a timeout keeps its mark on the wire`() throws {
    let engine = Engine(bootstrap: Object())
    _ = engine.receive { $0.bootstrapQuestion(4) }
    _ = engine.receive { $0.callExport(5, 0) }
    engine.connection.returnError(Self.late, for: try engine.token(0))
    let sent = engine.connection.nextMessage()
    let message = try #require(sent)
    let other = Engine()
    let handle = other.connection.bootstrap()
    _ = other.sent()
    _ = other.receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    let askers = (0..<6).map { _ in Asker() }
    for asker in askers { _ = other.call(handle.node, asker: asker) }
    other.connection.receive(try MessageReader(flat: message.flattened()))
    _ = other.sent()
    #expect(askers[5].error == Self.late)
  }

  /// A call to which the peer returned an exception with something more in it.
  private func failedCall(
    _ build: (DetailedException.Builder) -> Void
  ) -> (engine: Engine, asker: Asker) {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    let asker = Asker()
    _ = engine.call(handle.node, asker: asker)
    _ = engine.receive {
      let body = $0.initReturn()
      body.answerId = 0
      let exception = body.exceptionField.initPointer()
        .initStructure(as: DetailedException.Builder.self)
      exception.reason = "no"
      build(exception)
    }
    return (engine, asker)
  }

  @Test func `what a peer has in place of details is no error`() {
    let (engine, asker) = failedCall { $0._raw.pointer(2).setText("something else") }
    #expect(asker.error?.reason == "no")
    #expect(engine.connection.failure == nil)
  }

  @Test func `a peer's details are bounded in number`() {
    let (_, asker) = failedCall { _ = $0.initDetails(100_000) }
    #expect(asker.error?.details.count == 16)
  }
}
