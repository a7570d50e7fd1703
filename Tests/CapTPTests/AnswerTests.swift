import CapTP
import CapnProto
import Testing

@Suite struct AnswerTests {
  /// An engine whose object is the peer's export 0.
  private func serving(
    limits: ConnectionLimits = ConnectionLimits(), dropsHandles: Bool = false
  ) -> Engine {
    let engine = Engine(bootstrap: Object(), limits: limits, dropsHandles: dropsHandles)
    #expect(engine.receive { $0.bootstrapQuestion(0) } == ["return 0: results hosted 0"])
    _ = engine.receive { $0.finishQuestion(0, releasing: false) }
    return engine
  }

  @Test func `thousands of calls on an answer that fails are refused without deep recursion`()
    throws
  {
    let length: UInt32 = 20_000
    var limits = ConnectionLimits()
    limits.answers = Int(length) + 1
    limits.queuedCalls = Int(length)
    let engine = serving(limits: limits, dropsHandles: true)
    _ = engine.receive { $0.callExport(0, 0) }
    for number in 1...length {
      // Each is for what the one before will return.
      #expect(engine.receive { $0.callAnswer(number, of: number - 1) } == [])
    }
    let sent = engine.fail(try #require(engine.delivered.first?.token), "no")
    #expect(sent == (0...length).map { "return \($0): failed no" })
    for number in 0...length { _ = engine.receive { $0.finishQuestion(number) } }
    _ = engine.receive { $0.releaseExport(0, 1) }
    #expect(engine.connection.tableSizes == TableSizes())
  }

  @Test func `questions may have any numbers`() throws {
    let engine = serving()
    let numbers: [UInt32] = [0, 511, 512, .max, 7]
    for number in numbers { _ = engine.receive { $0.callExport(number, 0) } }
    #expect(engine.connection.tableSizes.answers == numbers.count)
    for (index, number) in numbers.enumerated() {
      #expect(try engine.fail(engine.token(index), "no") == ["return \(number): failed no"])
      _ = engine.receive { $0.finishQuestion(number) }
    }
    #expect(engine.connection.tableSizes.answers == 0)
  }

  @Test(arguments: [3, 511, 512, .max] as [UInt32])
  func `a question's number is in use until it is finished`(number: UInt32) throws {
    let engine = serving()
    _ = engine.receive { $0.callExport(number, 0) }
    #expect(
      engine.receive { $0.callExport(number, 0) } == [
        "abort: question \(number) is in use already"
      ])
    #expect(engine.connection.tableSizes.answers == 0)
  }

  @Test func `a call and its finish at once are delivered and then cancelled`() throws {
    let engine = serving()
    _ = engine.receive { $0.callExport(1, 0) }
    _ = engine.receive { $0.finishQuestion(1) }
    guard case .deliver(_, _, let token) = engine.effects.suffix(2).first,
      case .cancel(let cancelled) = engine.effects.last
    else {
      Issue.record("a call and then its end are to be handed on: \(engine.effects)")
      return
    }
    #expect(cancelled == token)
    // The question stays the peer's until its return.
    #expect(engine.connection.tableSizes.answers == 1)
    #expect(engine.fail(token, "cancelled") == ["return 1: canceled"])
    #expect(engine.connection.tableSizes.answers == 0)
  }

  @Test func `results that cross their finish are given to nobody`() throws {
    let engine = serving()
    _ = engine.receive { $0.callExport(1, 0) }
    _ = engine.receive { $0.finishQuestion(1) }
    let token = try #require(engine.delivered.first?.token)
    #expect(engine.answer(token, with: Object()) == ["return 1: canceled"])
    #expect(engine.connection.tableSizes.exports == 1)
    #expect(engine.connection.tableSizes.answers == 0)
  }

  @Test(arguments: [(true, 1), (false, 2)])
  func `a finish releases the results if it says so, once`(_ releases: Bool, _ left: Int) throws {
    let engine = serving()
    _ = engine.receive { $0.callExport(1, 0) }
    let token = try #require(engine.delivered.first?.token)
    #expect(engine.answer(token, with: Object()) == ["return 1: results hosted 1"])
    #expect(engine.connection.tableSizes.exports == 2)
    for _ in 1...2 {
      #expect(engine.receive { $0.finishQuestion(1, releasing: releases) } == [])
      #expect(engine.connection.tableSizes.exports == left)
    }
    #expect(engine.connection.failure == nil)
  }

  @Test func `params are given back by release messages and not by the return`() throws {
    let engine = serving()
    _ = engine.receive { $0.callExport(1, 0) { $0.senderHosted = 8 } }
    #expect(engine.connection.tableSizes.imports == 1)
    let token = try #require(engine.delivered.first?.token)
    #expect(engine.answer(token, with: nil) == ["return 1: results"])
    #expect(engine.connection.tableSizes.imports == 1)
    // The message of the call holds the first handle.
    engine.connection.dropReference(NodeID(rawValue: 0))
    #expect(engine.sent() == ["release 8 × 1"])
  }

  @Test func `calls on an answer that waits go on with what it turns out to be, in order`() throws {
    let object = Object()
    let engine = serving()
    _ = engine.receive { $0.callExport(1, 0) }
    for number in 2...4 as ClosedRange<UInt32> {
      _ = engine.receive { $0.callAnswer(number, of: 1) }
    }
    #expect(engine.delivered.count == 1)
    let token = try #require(engine.delivered.first?.token)
    _ = engine.answer(token, with: object)
    #expect(engine.delivered.dropFirst().allSatisfy { $0.hook === object })
    for call in engine.delivered.dropFirst() { _ = engine.fail(call.token, "done") }
    #expect(engine.delivered.count == 4)
  }

  // MARK: Tail calls

  @Test func `a tail call that returns keeps its results and says so`() throws {
    let engine = serving()
    _ = engine.receive { $0.tailCallExport(1, 0) }
    let token = try #require(engine.delivered.first?.token)
    #expect(engine.answer(token, with: Object()) == ["return 1: kept"])
    // Nothing was given to the peer.
    #expect(engine.connection.tableSizes.exports == 1)
    _ = engine.receive { $0.finishQuestion(1) }
    #expect(engine.connection.tableSizes.answers == 0)
  }

  @Test(arguments: [true, false])
  func `a tail call that is finished returns once, as cancelled`(_ succeeds: Bool) throws {
    let engine = serving()
    _ = engine.receive { $0.tailCallExport(1, 0) }
    _ = engine.receive { $0.finishQuestion(1) }
    let token = try #require(engine.delivered.first?.token)
    #expect(engine.cancelled == [token])
    let sent = succeeds ? engine.answer(token, with: Object()) : engine.fail(token, "late")
    #expect(sent == ["return 1: canceled"])
    #expect(engine.connection.tableSizes.answers == 0)
  }

  /// An engine whose question 1 takes its outcome from the peer's call 5, which it runs.
  private func taking(_ asker: Asker, hasReturned: Bool) throws -> (Engine, AnswerToken) {
    let engine = serving()
    let handle = engine.connection.bootstrap()
    #expect(engine.call(handle.node, asker: asker) == ["bootstrap 0", "call 1 of answer 0"])
    _ = engine.receive { $0.tailCallExport(5, 0) }
    let token = try #require(engine.delivered.first?.token)
    if hasReturned { #expect(engine.answer(token, with: Object()) == ["return 5: kept"]) }
    let sent = engine.receive { $0.takeFrom(1, 5) }
    #expect(sent == (hasReturned ? ["finish 1"] : []))
    return (engine, token)
  }

  @Test(arguments: [true, false])
  func `a question takes its outcome from a tail call`(_ hasReturned: Bool) throws {
    let asker = Asker()
    let (engine, token) = try taking(asker, hasReturned: hasReturned)
    if !hasReturned {
      #expect(!asker.hasResults)
      #expect(engine.answer(token, with: Object()) == ["return 5: kept", "finish 1"])
    }
    #expect(asker.hasResults)
    #expect(asker.count == 1)
  }

  @Test func `an error of a tail call is the outcome of the question that takes it`() throws {
    let asker = Asker()
    let (engine, token) = try taking(asker, hasReturned: false)
    #expect(engine.fail(token, "broken") == ["return 5: kept", "finish 1"])
    #expect(asker.error == .failed("broken"))
  }

  @Test func `a tail call is cancelled once neither side wants its outcome`() throws {
    let asker = Asker()
    let (engine, token) = try taking(asker, hasReturned: false)
    _ = engine.receive { $0.finishQuestion(5) }
    // The own caller still waits.
    #expect(engine.cancelled.isEmpty)
    engine.connection.dropQuestion(QuestionID(rawValue: 1), caller: asker)
    #expect(engine.sent() == ["finish 1 and release"])
    #expect(engine.cancelled == [token])
    #expect(engine.fail(token, "cancelled") == ["return 5: canceled"])
    #expect(engine.connection.tableSizes.answers == 0)
    #expect(asker.count == 0)
  }

  @Test func `the end of a tail call does not break calls that are pipelined on it`() throws {
    let (asker, later) = (Asker(), Asker())
    let (engine, token) = try taking(asker, hasReturned: false)
    let handle = engine.pipelined(on: 1, asker)
    let promised = try #require(handle)
    #expect(engine.call(promised.node, asker: Asker()) == ["call 2 of answer 1"])
    _ = engine.receive { $0.finishQuestion(5) }
    let object = Object()
    // The call that went out by the peer comes back first.
    #expect(
      engine.answer(token, with: object)
        == ["return 5: canceled", "disembargo answer 1 0", "finish 1"])
    #expect(engine.call(promised.node, asker: later) == [])
    _ = engine.receive { $0.disembargoed(0) }
    #expect(engine.forwarded.first?.hook === object)
    #expect(engine.forwarded.first?.caller === later)
  }

  @Test func `an outcome can be taken from a tail call alone, and once`() throws {
    for isSecond in [true, false] {
      let asker = Asker()
      let engine = serving()
      let handle = engine.connection.bootstrap()
      _ = engine.call(handle.node, asker: asker)
      _ = engine.call(handle.node, asker: Asker())
      if isSecond {
        _ = engine.receive { $0.tailCallExport(5, 0) }
        #expect(engine.receive { $0.takeFrom(1, 5) } == [])
        #expect(
          engine.receive { $0.takeFrom(2, 5) }
            == ["abort: takeFromOtherQuestion names no tail call"])
      } else {
        _ = engine.receive { $0.callExport(5, 0) }
        #expect(
          engine.receive { $0.takeFrom(1, 5) }
            == ["abort: takeFromOtherQuestion names no tail call"])
      }
      #expect(asker.error?.kind == .disconnected)
    }
  }
}
