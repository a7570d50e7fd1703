import CapTP
import CapnProto
import Synchronization
import Testing

/// Calls of the peer over the limit of words (`ConnectionLimits.wordsInFlight`).
@Suite struct HeldCallTests {
  private func limited(_ words: Int) -> Engine {
    var limits = ConnectionLimits()
    limits.wordsInFlight = words
    let engine = Engine(bootstrap: Object(), limits: limits)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    return engine
  }

  @Test func `over the limit of words calls wait, and everything else goes on`() throws {
    let asker = Asker()
    let engine = limited(100)
    let handle = engine.connection.bootstrap()
    _ = engine.call(handle.node, asker: asker)
    for number in 1...4 as ClosedRange<UInt32> {
      #expect(engine.receive { $0.largeCall(number) } == [])
    }
    #expect(engine.delivered.count == 1)
    // A return, a release and a finish are taken although calls wait before them.
    _ = try engine.receive {
      $0.initReturn().answerId = 1
      _ = try $0.`return`.initResults()
    }
    #expect(asker.hasResults)
    #expect(engine.receive { $0.finishQuestion(2) } == ["return 2: canceled"])
    #expect(engine.receive { $0.finishQuestion(0, releasing: false) } == [])
    // One more call for each that ends, in their order, without the one that was finished.
    let first = try #require(engine.delivered.first?.token)
    _ = engine.fail(first, "first")
    #expect(engine.delivered.count == 2)
    let second = try engine.token(1)
    #expect(engine.fail(second, "second") == ["return 3: failed second"])
    let third = try engine.token(2)
    #expect(engine.fail(third, "third") == ["return 4: failed third"])
    #expect(engine.connection.failure == nil)
  }

  // MARK: Finish before the call is handed on (`requireEarlyCancellationWorkaround` in rpc.capnp)

  @Test func `a call that is finished at once is handed on before it is cancelled`() throws {
    let engine = limited(100)
    for cancelsLate in [false, true] {
      let number: UInt32 = cancelsLate ? 2 : 1
      let call = MessageBuilder()
      let finish = MessageBuilder()
      call.build(Message.Builder.self) { $0.callExport(number, 0) }
      finish.build(Message.Builder.self) {
        $0.finishQuestion(number, cancelsLate: cancelsLate)
      }
      let before = engine.effects.count
      engine.connection.receive(call.freeze())
      engine.connection.receive(finish.freeze())
      _ = engine.sent()
      let order = engine.effects[before...].compactMap { effect -> String? in
        switch effect {
        case .deliver: "handed on"
        case .cancel: "cancelled"
        default: nil
        }
      }
      #expect(order.prefix(2) == ["handed on", "cancelled"])
    }
  }

  @Test func `a call of an older peer that is held back is handed on before it is cancelled`()
    throws
  {
    let engine = limited(100)
    _ = engine.receive { $0.largeCall(1) }
    _ = engine.receive { $0.largeCall(2) }
    _ = engine.receive { $0.largeCall(3) }
    #expect(engine.receive { $0.finishQuestion(2, cancelsLate: true) } == [])
    #expect(engine.receive { $0.finishQuestion(3, cancelsLate: false) } == ["return 3: canceled"])
    #expect(engine.delivered.count == 1)
    #expect(engine.cancelled.isEmpty)
    _ = engine.fail(try engine.token(0), "first")
    #expect(engine.delivered.count == 2)
    let second = try engine.token(1)
    #expect(engine.cancelled == [second])
    #expect(engine.fail(second, "stopped") == ["return 2: canceled"])
    // The bootstrap's and the first call's are left.
    #expect(engine.connection.tableSizes.answers == 2)
  }

  @Test func `a held call that is finished runs on while calls on its results need it`() throws {
    let engine = limited(100)
    _ = engine.receive { $0.largeCall(1) }
    _ = engine.receive { $0.largeCall(2) }
    _ = engine.receive { $0.callAnswer(3, of: 2) }
    #expect(engine.receive { $0.finishQuestion(2, cancelsLate: true) } == [])
    _ = engine.fail(try engine.token(0), "first")
    #expect(engine.delivered.count == 2)
    #expect(engine.cancelled.isEmpty)
  }

  @Test func `this side asks for no delay`() throws {
    let engine = Engine()
    let handle = engine.connection.bootstrap()
    let asker = Asker()
    _ = engine.call(handle.node, asker: asker)
    engine.connection.dropQuestion(QuestionID(rawValue: 1), caller: asker)
    let sent = engine.connection.nextMessage()
    let message = try #require(sent)
    let finish = try message.reader.finish
    let (question, cancelsLate) = (
      finish.questionId, finish.requireEarlyCancellationWorkaround
    )
    #expect(question == 1)
    #expect(!cancelsLate)
  }

  @Test func `a call that came before a disconnect is delivered, and then cancelled`() throws {
    let engine = limited(100)
    let late = MessageBuilder()
    late.build(Message.Builder.self) { $0.callExport(3, 0) }
    engine.connection.receive(late.freeze())
    engine.connection.disconnect(.disconnected("cut"))
    _ = engine.sent()
    let order = engine.effects.compactMap { effect -> String? in
      switch effect {
      case .deliver: "delivered"
      case .cancel: "cancelled"
      default: nil
      }
    }
    #expect(order.last == "cancelled")
    #expect(order.dropLast(2).isEmpty && order.contains("delivered"))
  }

  @Test func `no call is delivered at a disconnect if one before it was held back`() throws {
    let engine = limited(100)
    _ = engine.receive { $0.largeCall(1) }
    _ = engine.receive { $0.largeCall(2) }
    let late = MessageBuilder()
    late.build(Message.Builder.self) { $0.callExport(3, 0) }
    engine.connection.receive(late.freeze())
    engine.connection.disconnect(.disconnected("cut"))
    _ = engine.sent()
    #expect(engine.delivered.count == 1)
  }

  @Test func `a call that is over the limit alone goes when nothing else is under way`() throws {
    let engine = limited(10)
    _ = engine.receive { $0.largeCall(1) }
    _ = engine.receive { $0.largeCall(2) }
    #expect(engine.delivered.count == 1)
    _ = engine.fail(try engine.token(0), "first")
    #expect(engine.delivered.count == 2)
  }

  @Test func `an embargo ends although calls before its end are over the limit`() throws {
    let engine = limited(100)
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderPromise = 3 } }
    let asker = Asker()
    _ = engine.call(handle.node, asker: asker)
    _ = engine.receive { $0.largeCall(1) }
    _ = engine.receive { $0.largeCall(2) }
    #expect(engine.delivered.count == 1)
    #expect(
      engine.receive { $0.resolvePromise(3) { $0.receiverHosted = 0 } }.first
        == "disembargo import 3 0")
    #expect(engine.call(handle.node, asker: asker) == [])
    // What is under way may wait for that call.
    _ = engine.receive { $0.disembargoed(0) }
    #expect(engine.delivered.count == 2)
    let isForwarded = engine.effects.contains {
      if case .forward = $0 { true } else { false }
    }
    #expect(isForwarded)
  }

  /// An engine over its limit of words, whose answer 5 leads to the peer's export 3.
  private func limitedAndReflecting() throws -> Engine {
    let engine = limited(100)
    let handle = engine.remote()
    _ = engine.receive { $0.callExport(5, 0) }
    #expect(engine.answer(try engine.token(0), with: handle) == ["return 5: results yours 3"])
    _ = engine.receive { $0.largeCall(1) }
    _ = engine.receive { $0.largeCall(2) }
    #expect(engine.delivered.count == 2)
    return engine
  }

  @Test func `a disembargo does not wait behind calls on other capabilities`() throws {
    let engine = try limitedAndReflecting()
    // What is under way may wait for what the peer holds back until then.
    #expect(
      engine.receive { $0.disembargo(7) { $0.initPromisedAnswer().questionId = 5 } }
        == ["disembargoed import 3 7"])
    #expect(engine.delivered.count == 2)
  }

  @Test func `a disembargo follows the calls on its capability that are held back`() throws {
    let engine = try limitedAndReflecting()
    _ = engine.receive {
      $0.largeCallAnswer(6, of: 5)
    }
    #expect(
      engine.receive { $0.disembargo(7) { $0.initPromisedAnswer().questionId = 5 } } == [])
    _ = engine.fail(try engine.token(1), "first")
    let sent = engine.fail(try engine.token(2), "second")
    #expect(
      sent == ["return 2: failed second", "call 0 of import 3", "disembargoed import 3 7"])
  }

  @Test func `a call that went back to the peer does not hold back what becomes of it`() throws {
    let engine = limited(100)
    let handle = engine.remote()
    _ = engine.receive { $0.callExport(5, 0) }
    _ = engine.answer(try engine.token(0), with: handle)
    #expect(engine.receive { $0.largeCallAnswer(6, of: 5) } == ["call 0 of import 3"])
    // The peer's promise 3 is an object of this side: the call comes round.
    _ = engine.receive { $0.largeCall(7) }
    #expect(engine.delivered.count == 2)
    #expect(engine.connection.statistics.wordsHeld == 0)
    // Only what runs here counts, and once.
    _ = engine.receive { $0.largeCall(8) }
    #expect(engine.delivered.count == 2)
    #expect(engine.fail(try engine.token(1), "no") == ["return 7: failed no"])
    #expect(engine.delivered.count == 3)
    _ = engine.fail(try engine.token(2), "no")
    _ = try engine.receive {
      $0.initReturn().answerId = 0
      try $0.`return`.initException().reason = "no"
    }
    #expect(engine.connection.statistics.wordsInFlight == 0)
  }

  @Test func `disembargoes cost no more than calls, however much is held back`() throws {
    let counted = CountedObject()
    var limits = ConnectionLimits()
    limits.wordsInFlight = 100
    let engine = Engine(bootstrap: counted, limits: limits)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    let handle = engine.remote()
    _ = engine.receive { $0.callExport(5, 0) }
    #expect(engine.answer(try engine.token(0), with: handle) == ["return 5: results yours 3"])
    _ = engine.receive { $0.largeCall(1) }
    let calls: UInt32 = 1000
    for number in 10..<10 + calls { _ = engine.receive { $0.largeCall(number) } }
    let before = counted.looks
    var sent: [String] = []
    for number in 0..<5000 as Range<UInt32> {
      sent += engine.receive { $0.disembargo(number) { $0.initPromisedAnswer().questionId = 5 } }
    }
    // The first ones do not wait for calls on other capabilities; there are 64 looks for each that waits.
    #expect(sent.first == "disembargoed import 3 0")
    #expect(counted.looks - before < 70 * 6000)
    // All are sent back, in order, once the calls before them have gone.
    var index = 1
    while index < engine.delivered.count {
      sent += engine.fail(try engine.token(index), "no")
      index += 1
    }
    let echoes = sent.filter { $0.hasPrefix("disembargoed") }
    #expect(echoes == (0..<5000).map { "disembargoed import 3 \($0)" })
    #expect(index == 2 + Int(calls))
  }

  @Test func `disembargoes that wait behind calls are limited`() throws {
    var limits = ConnectionLimits()
    limits.wordsInFlight = 100
    limits.answers = 4
    limits.queuedCalls = 4
    let engine = Engine(bootstrap: Object(), limits: limits)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    _ = engine.receive { $0.largeCall(1) }
    _ = engine.receive { $0.largeCall(2) }
    for number in 0..<7 as Range<UInt32> {
      _ = engine.receive { $0.disembargo(number) { $0.importedCap = 0 } }
    }
    #expect(!isFull(engine))
    _ = engine.receive { $0.disembargo(7) { $0.importedCap = 0 } }
    #expect(isFull(engine))
  }

  @Test func `a peer is not read any more once as much again waits`() throws {
    let engine = limited(200)
    for number in 1...4 as ClosedRange<UInt32> { _ = engine.receive { $0.largeCall(number) } }
    #expect(!isFull(engine))
    _ = engine.receive { $0.largeCall(5) }
    #expect(isFull(engine))
    _ = engine.fail(try engine.token(0), "first")
    #expect(!isFull(engine))
  }
}

/// A macro's argument is no place that can be changed, as the engine asks for.
private func isFull(_ engine: Engine) -> Bool { engine.connection.isFull }

/// An object that counts how often it was looked at.
private final class CountedObject: CapabilityHook {
  private let count = Atomic(0)
  var looks: Int { count.load(ordering: .relaxed) }
  var isPromise: Bool {
    count.add(1, ordering: .relaxed)
    return false
  }
}

extension Message.Builder {
  /// A call of export 0 of about 90 words.
  func largeCall(_ question: UInt32) {
    fill(callExport(question, 0).params)
  }

  /// A call of about 90 words of the capability that another call has returned.
  fileprivate func largeCallAnswer(_ question: UInt32, of other: UInt32) {
    fill(callAnswer(question, of: other).params)
  }

  private func fill(_ params: Payload.Builder) {
    let content = params.content.initStructure(as: Exception.Builder.self)
    content.reason = String(repeating: "x", count: 600)
  }
}
