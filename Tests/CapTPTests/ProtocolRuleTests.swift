import CapTP
import CapnProto
import Testing

@Suite struct ProtocolRuleTests {
  /// What a peer must not send, and what it is told.
  static let violations: [(String, @Sendable (Message.Builder) -> Void)] = [
    ("a message is for export 7, which is not open", { $0.callExport(1, 7) }),
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
    let engine = Engine(bootstrap: Object())
    // The peer holds export 0 once, and its question 0 is open.
    #expect(engine.receive { $0.bootstrapQuestion(0) } == ["return 0: results hosted 0"])
    _ = engine.receive(build)
    #expect(engine.connection.failure?.kind == .disconnected)
    #expect(engine.connection.failure?.reason == "the connection was aborted: \(rule)")
    #expect(engine.connection.tableSizes == TableSizes())
  }

  @Test func `more calls than the limit abort the connection`() {
    var limits = ConnectionLimits()
    limits.answers = 2
    let engine = Engine(bootstrap: Object(), limits: limits)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    _ = engine.receive { $0.callExport(1, 0) }
    let answer = engine.receive { $0.callExport(2, 0) }
    #expect(answer == ["abort: more than 2 calls are open at once"])
  }

  @Test func `messages of higher levels are answered with unimplemented`() throws {
    let engine = Engine(bootstrap: Object())
    #expect(engine.receive { _ = $0.initProvide() } == ["unimplemented"])
    #expect(engine.receive { _ = $0.initAccept() } == ["unimplemented"])
    #expect(engine.receive { _ = $0.initJoin() } == ["unimplemented"])
    #expect(engine.receive { _ = $0.initObsoleteSave() } == ["unimplemented"])
    // What such a message carries stays the sender's.
    _ = engine.receive { $0.bootstrapQuestion(0) }
    let sent = try engine.receive {
      $0.callExport(1, 0) { $0.senderHosted = 9 }
      _ = try $0.call.sendResultsTo.initThirdParty()
    }
    #expect(sent == ["unimplemented"])
    #expect(engine.connection.tableSizes.imports == 0)
    #expect(engine.connection.failure == nil)
  }

  @Test func `disembargoes and returns of higher levels are answered with unimplemented`() {
    let engine = Engine(bootstrap: Object())
    _ = engine.receive { $0.bootstrapQuestion(0) }
    for isAccept in [true, false] {
      let sent = engine.receive {
        let disembargo = $0.initDisembargo()
        disembargo.initTarget().importedCap = 0
        if isAccept { disembargo.context.setAccept() } else { disembargo.context.provide = 7 }
      }
      #expect(sent == ["unimplemented"])
    }
    let asker = Asker()
    let handle = engine.connection.bootstrap()
    _ = engine.call(handle.node, asker: asker)
    let sent = engine.receive {
      let body = $0.initReturn()
      body.answerId = 1
      body.initAcceptFromThirdParty().setText("elsewhere")
    }
    #expect(sent == ["unimplemented", "finish 1"])
    #expect(asker.error?.kind == .unimplemented)
    #expect(engine.connection.failure == nil)
  }

  @Test func `a promise that is a third party's is called by way of its vine`() {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 3 } }
    _ = engine.receive { $0.resolvePromise(3) { $0.initThirdPartyHosted().vineId = 6 } }
    #expect(engine.call(handle.node, asker: Asker()) == ["call 0 of import 6"])
  }

  @Test func `hints that newer versions of rpc.capnp have for a call change nothing`() throws {
    // `noPromisePipelining` and `onlyPromisePipeline`; questions of the latter kind have high numbers.
    for bits in [[129], [130], [129, 130]] {
      let engine = Engine(bootstrap: Object())
      _ = engine.receive { $0.bootstrapQuestion(0) }
      let number: UInt32 = 1 << 31 | 5
      _ = try engine.receive {
        $0.callExport(number, 0)
        for bit in bits { try $0.call._raw.writeBool(bit, true, default: false) }
      }
      #expect(engine.receive { $0.callAnswer(1, of: number) } == [])
      let object = Object()
      #expect(
        engine.answer(try engine.token(0), with: object) == ["return \(number): results hosted 1"])
      #expect(try #require(engine.delivered.last).hook === object)
      #expect(engine.receive { $0.finishQuestion(number) } == [])
      #expect(engine.connection.tableSizes.answers == 2)
    }
  }

  @Test func `a capability of a third party is called by way of its vine`() {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.initThirdPartyHosted().vineId = 6 } }
    #expect(engine.call(handle.node, asker: Asker()) == ["call 0 of import 6"])
  }

  @Test func `a bootstrap that names an object is answered as any other`() throws {
    let engine = Engine(bootstrap: Object())
    let sent = try engine.receive {
      $0.bootstrapQuestion(0)
      try $0.bootstrap.deprecatedObjectId.setText("calculator")
    }
    #expect(sent == ["return 0: results hosted 0"])
  }

  @Test func `the lowest question identifier that is free is used first`() throws {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.call(handle.node, asker: Asker())
    #expect(engine.call(handle.node, asker: Asker()) == ["call 2 of answer 0"])
    for number in [2, 1] as [UInt32] {
      _ = try engine.receive {
        $0.initReturn().answerId = number
        try $0.`return`.initException().reason = "no"
      }
    }
    #expect(engine.call(handle.node, asker: Asker()) == ["call 1 of answer 0"])
    #expect(engine.call(handle.node, asker: Asker()) == ["call 2 of answer 0"])
    #expect(engine.call(handle.node, asker: Asker()) == ["call 3 of answer 0"])
  }

  @Test func `a question identifier is free only when its return has come`() throws {
    let asker = Asker()
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    _ = engine.call(handle.node, asker: asker)
    engine.connection.dropQuestion(QuestionID(rawValue: 1), caller: asker)
    #expect(engine.sent() == ["finish 1 and release"])
    #expect(engine.call(handle.node, asker: Asker()) == ["call 2 of answer 0"])
    _ = try engine.receive {
      $0.initReturn().answerId = 1
      try $0.`return`.setCanceled()
    }
    #expect(engine.call(handle.node, asker: Asker()) == ["call 1 of answer 0"])
  }

  @Test func `a finish of an unknown question is tolerated`() {
    let engine = Engine()
    #expect(engine.receive { $0.initFinish().questionId = 12 } == [])
    #expect(engine.connection.failure == nil)
  }

  @Test func `an abort of the peer reaches every call that waits`() {
    let engine = Engine()
    let asker = Asker()
    let handle = engine.connection.bootstrap()
    #expect(engine.call(handle.node, asker: asker) == ["bootstrap 0", "call 1 of answer 0"])
    _ = engine.receive { $0.initAbort().reason = "no more" }
    #expect(asker.error?.kind == .disconnected)
    #expect(asker.error?.reason == "the peer aborted the connection: no more")
  }

  @Test func `only an abort for what is not to be had there would come again`() {
    for (type, kind) in [
      (CapTP.Exception.Type_.failed, RPCError.Kind.disconnected), (.overloaded, .disconnected),
      (.disconnected, .disconnected), (.unimplemented, .failed),
    ] {
      let engine = Engine()
      _ = engine.receive {
        let exception = $0.initAbort()
        exception.reason = "no more"
        exception.type = type
      }
      #expect(engine.connection.failure?.kind == kind)
    }
  }

  @Test func `a resolve that the peer does not understand takes its capability back`() throws {
    let promise = Promise()
    let engine = Engine(bootstrap: promise)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    let token = try #require(engine.watched.first)
    engine.connection.resolveExport(token, .success(Object()))
    #expect(engine.sent() == ["resolve 0: hosted 1"])
    #expect(engine.connection.tableSizes.exports == 2)
    _ = engine.receive {
      let resolve = $0.initUnimplemented().initResolve()
      resolve.promiseId = 0
      resolve.initCap().senderHosted = 1
    }
    #expect(engine.connection.tableSizes.exports == 1)
    #expect(engine.connection.failure == nil)
  }

  @Test func `a call that the peer does not understand is unimplemented`() {
    let engine = Engine()
    let asker = Asker()
    let handle = engine.connection.bootstrap()
    _ = engine.call(handle.node, asker: asker, with: Object())
    #expect(engine.connection.tableSizes.exports == 1)
    _ = engine.receive { $0.initUnimplemented().initCall().questionId = 1 }
    #expect(asker.error?.kind == .unimplemented)
    #expect(engine.connection.tableSizes.exports == 0)
  }
}
