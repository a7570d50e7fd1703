import CapTP
import CapnProto
import Testing

@Suite struct ProtocolRuleTests {
  /// What a peer must not send, and what it is told.
  static let violations: [(String, @Sendable (Message.Builder) -> Void)] = [
    ("a message is for export 7, which is not open", { $0.callExport(1, 7) }),
    (
      "a promised answer names question 9, which is not open",
      {
        let call = $0.initCall()
        call.questionId = 1
        call.initTarget().initPromisedAnswer().questionId = 9
      }
    ),
    ("Return names question 3, which is not open", { $0.initReturn().answerId = 3 }),
    ("question 0 is in use already", { $0.bootstrapQuestion(0) }),
    (
      "Release names export 0 more often than it was given",
      {
        let release = $0.initRelease()
        release.id = 0
        release.referenceCount = 2
      }
    ),
    (
      "Release names export 5 more often than it was given",
      { $0.initRelease().id = 5 }
    ),
    (
      "Disembargo names an embargo that was not placed",
      {
        let disembargo = $0.initDisembargo()
        disembargo.initTarget().importedCap = 0
        disembargo.context.receiverLoopback = 4
      }
    ),
    (
      "Disembargo is for a capability that does not lead back to its sender",
      {
        let disembargo = $0.initDisembargo()
        disembargo.initTarget().importedCap = 0
        disembargo.context.senderLoopback = 4
      }
    ),
    (
      "a descriptor names export 8, which is not open",
      {
        let call = $0.initCall()
        call.questionId = 1
        call.initTarget().importedCap = 0
        call.initParams().initCapTable(1)[0].receiverHosted = 8
      }
    ),
  ]

  @Test(arguments: violations.indices)
  func `a broken rule aborts the connection and is named`(_ index: Int) {
    let (rule, build) = Self.violations[index]
    var engine = Engine(bootstrap: Object())
    // The peer holds export 0 once, and its question 0 is open.
    #expect(engine.receive { $0.bootstrapQuestion(0) } == ["return 0: results hosted 0"])
    _ = engine.receive(build)
    // The disembargo's rule is checked when its effect has come up.
    if case .echoDisembargo(let hook, let id) = engine.effects.last(where: {
      if case .echoDisembargo = $0 { true } else { false }
    }) {
      engine.connection.echoDisembargo(hook, id)
    }
    _ = engine.sent()
    #expect(engine.connection.failure?.kind == .disconnected)
    #expect(engine.connection.failure?.reason == "the connection was aborted: \(rule)")
    #expect(engine.connection.tableSizes == TableSizes())
  }

  @Test func `more calls than the limit abort the connection`() {
    var limits = ConnectionLimits()
    limits.answers = 2
    var engine = Engine(bootstrap: Object(), limits: limits)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    _ = engine.receive { $0.callExport(1, 0) }
    let answer = engine.receive { $0.callExport(2, 0) }
    #expect(answer == ["abort: more than 2 calls are open at once"])
  }

  @Test func `messages of higher levels are answered with unimplemented`() {
    var engine = Engine()
    #expect(engine.receive { _ = $0.initProvide() } == ["unimplemented"])
    #expect(engine.receive { _ = $0.initAccept() } == ["unimplemented"])
    #expect(engine.receive { _ = $0.initJoin() } == ["unimplemented"])
    #expect(engine.connection.failure == nil)
  }

  @Test func `a finish of an unknown question is tolerated`() {
    var engine = Engine()
    #expect(engine.receive { $0.initFinish().questionId = 12 } == [])
    #expect(engine.connection.failure == nil)
  }

  @Test func `an abort of the peer reaches every call that waits`() {
    var engine = Engine()
    let asker = Asker()
    let handle = engine.connection.bootstrap()
    #expect(engine.call(handle.node, asker: asker) == ["bootstrap 0", "call 1 of answer 0"])
    _ = engine.receive { $0.initAbort().reason = "no more" }
    #expect(asker.error?.kind == .disconnected)
    #expect(asker.error?.reason == "the peer aborted the connection: no more")
  }

  @Test func `a call that the peer does not understand is unimplemented`() {
    var engine = Engine()
    let asker = Asker()
    let handle = engine.connection.bootstrap()
    _ = engine.call(handle.node, asker: asker, with: Object())
    #expect(engine.connection.tableSizes.exports == 1)
    _ = engine.receive { $0.initUnimplemented().initCall().questionId = 1 }
    #expect(asker.error?.kind == .unimplemented)
    #expect(engine.connection.tableSizes.exports == 0)
  }
}
