import CapTP
import CapnProto
import Testing

/// What a message of the peer costs depends on its size, not on what its pointers make of it.
@Suite struct MessageCostTests {
  /// A message whose params are a list of pointers, all of which lead to one list of words.
  private func sharing(
    pointers: Int, words: Int, _ build: (Message.Builder) throws -> Void
  ) throws -> MessageReader {
    let message = MessageBuilder(firstSegmentWords: pointers + words + 100)
    try message.build(Message.Builder.self) { root in
      try build(root)
      let list = try root.call.params.content.initList(of: AnyPointerBuilder.self, count: pointers)
      _ = list[pointers - 1].initList(of: UInt64.self, count: words)
    }
    var frame = message.flattened()
    let count = frame.count / 8
    func word(_ index: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(frame[index * 8 + $1]) << UInt64($1 * 8) }
    }
    let pointer = 1 | 5 << 32 | UInt64(words) << 35
    let last = try #require((0..<count).first { word($0) == pointer })
    for distance in 1..<pointers {
      let bits = pointer | UInt64(distance) << 2
      for byte in 0..<8 {
        frame[(last - distance) * 8 + byte] = UInt8(truncatingIfNeeded: bits >> UInt64(byte * 8))
      }
    }
    return try MessageReader(flat: frame)
  }

  private func engine(_ change: (inout ConnectionLimits) -> Void = { _ in }) -> Engine {
    var limits = ConnectionLimits()
    change(&limits)
    let engine = Engine(bootstrap: Object(), limits: limits)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    return engine
  }

  /// The bytes of each message that goes out.
  private func bytesSent(by engine: Engine) -> [Int] {
    var bytes: [Int] = []
    repeat {
      while let message = engine.connection.nextMessage() { bytes.append(message.frameBytes) }
      if let effect = engine.connection.nextEffect() { engine.effects.append(effect) }
    } while engine.connection.hasSteps
    while let message = engine.connection.nextMessage() { bytes.append(message.frameBytes) }
    return bytes
  }

  private func params(_ engine: Engine) throws -> SharedMessage {
    guard case .deliver(let call, _, _) = try #require(engine.effects.last) else {
      throw RPCError.failed("no call was delivered")
    }
    return call.message
  }

  @Test func `params whose pointers share an object are not read past a multiple of their size`()
    throws
  {
    let engine = engine()
    engine.connection.receive(
      try sharing(pointers: 2850, words: 2850) { $0.callExport(1, 0) })
    _ = bytesSent(by: engine)
    let message = try params(engine)
    #expect(throws: DecodingError.traversalLimitExceeded) {
      _ = try message.reader.call.params.content.totalSize()
    }
  }

  @Test func `params that are as large as their message can be read any number of times`() throws {
    let engine = engine()
    engine.connection.receive(try sharing(pointers: 1, words: 5000) { $0.callExport(1, 0) })
    _ = bytesSent(by: engine)
    let message = try params(engine)
    for _ in 0..<10 {
      #expect(try message.reader.call.params.content.totalSize().words == 5001)
    }
  }

  @Test func `params over the standard traversal limit can be read if the message may be so long`()
    throws
  {
    let words = ReaderLimits.standard.traversalWords + 1
    let engine = engine { $0.messageWords = words + 100 }
    let message = MessageBuilder(firstSegmentWords: words + 100)
    try message.build(Message.Builder.self) {
      $0.callExport(1, 0)
      _ = try $0.call.params.content.initList(of: UInt64.self, count: words)
    }
    engine.connection.receive(message.freeze())
    _ = bytesSent(by: engine)
    let params = try params(engine)
    #expect(try params.reader.call.params.content.list(of: UInt64.self).count == words)
    #expect(try params.reader.call.params.content.totalSize().words == words)
  }

  @Test func `the factor is a setting`() throws {
    let engine = engine { $0.traversalFactor = 3000 }
    engine.connection.receive(
      try sharing(pointers: 2850, words: 2850) { $0.callExport(1, 0) })
    _ = bytesSent(by: engine)
    let message = try params(engine)
    #expect(try message.reader.call.params.content.totalSize().words > 2850 * 2850)
  }

  @Test func `a call that goes back to the peer is as long as it came`() throws {
    let engine = engine()
    let handle = engine.connection.bootstrap()
    _ = engine.sent()
    _ = engine.receive { $0.returnCapability(0) { $0.senderHosted = 3 } }
    _ = engine.receive { $0.callExport(1, 0) }
    let call = try sharing(pointers: 2850, words: 2850) { $0.callAnswer(2, of: 1) }
    let size = call.frameBytes
    engine.connection.receive(call)
    _ = bytesSent(by: engine)
    let results = MessageBuilder()
    results.build(Message.Builder.self) {
      $0.initReturn().initResults().content.setCapability(handle)
    }
    engine.connection.returnResults(results, for: try engine.token(0))
    let sent = bytesSent(by: engine)
    #expect(sent.contains { $0 > size && $0 < size + 1024 })
    #expect(sent.reduce(0, +) < size + 2048)
  }

  @Test func `a call that is passed on keeps its content and nothing of its connection`() throws {
    let engine = engine()
    _ = try engine.receive {
      $0.callExport(0x5ec2e7, 0) { $0.senderHosted = 0x7c4a11 }
      try $0.call.interfaceId = 77
      try $0.call.methodId = 5
    }
    let copy = try DeliveredCall(params(engine)).copied()
    let words = Self.words(of: copy.message)
    #expect(!words.contains { $0 & 0xffff_ffff == 0x5ec2e7 || $0 >> 32 == 0x5ec2e7 })
    #expect(!words.contains { $0 & 0xffff_ffff == 0x7c4a11 || $0 >> 32 == 0x7c4a11 })
    let passedOn = try DeliveredCall(copy).message
    let call = try passedOn.reader.call
    #expect(call.interfaceId == 77)
    #expect(call.methodId == 5)
    #expect(try passedOn.reader.call.params.content.capability() is Handle)
  }

  @Test func `what observers sent along with a call is not passed on`() throws {
    let engine = engine()
    let message = MessageBuilder()
    message.build(Message.Builder.self) { root in
      root.callExport(1, 0).params.content.setText("content")
    }
    let secret = Array("secret context..".utf8)
    let mark = (0..<8).map { UInt8(truncatingIfNeeded: CallBaggageMark.word >> UInt64(8 * $0)) }
    let call = try SharedMessage(message.freeze()).appending(
      segment: mark + [UInt8(secret.count), 0, 0, 0, 0, 0, 0, 0] + secret)
    engine.connection.receive(try MessageReader(flat: call.flattened()))
    _ = bytesSent(by: engine)
    let copy = try DeliveredCall(params(engine)).copied()
    let frame = copy.message.flattened()
    #expect(!frame.indices.contains { frame[$0...].starts(with: secret) })
    let passedOn = try DeliveredCall(copy).message
    #expect(try passedOn.reader.call.params.content.text().string == "content")
  }

  @Test func `a copy of params over the standard traversal limit can be read`() throws {
    let words = ReaderLimits.standard.traversalWords + 1
    let engine = engine { $0.messageWords = words + 100 }
    let message = MessageBuilder(firstSegmentWords: words + 100)
    message.build(Message.Builder.self) {
      _ = $0.callExport(1, 0).params.content.initList(of: UInt64.self, count: words)
    }
    engine.connection.receive(message.freeze())
    _ = bytesSent(by: engine)
    let copy = try DeliveredCall(DeliveredCall(params(engine)).copied()).message
    #expect(try copy.reader.call.params.content.list(of: UInt64.self).count == words)
  }

  @Test func `results that are passed on keep their content`() throws {
    let object = Object()
    let results = MessageBuilder()
    results.build(Message.Builder.self) {
      let payload = $0.initReturn().initResults()
      let list = payload.content.initList(of: AnyPointerBuilder.self, count: 2)
      list[0].setText("content")
      list[1].setCapability(object)
    }
    let message = try SharedMessage(results.freeze())
    let copy = try SharedMessage(message.copiedResults().freeze())
    let list = try copy.reader.`return`.results.content.list(of: AnyPointerReader.self)
    #expect(try list[0].text().string == "content")
    #expect(try list[1].capability() === object)
  }

  @Test func `a message that is not understood is echoed as it came`() throws {
    let engine = engine()
    let call = try sharing(pointers: 2850, words: 2850) {
      $0.callExport(1, 0)
      try $0.call.initSendResultsTo().initThirdParty().setText("elsewhere")
    }
    let size = call.frameBytes
    engine.connection.receive(call)
    let next = engine.connection.nextMessage()
    let echo = try #require(next)
    #expect(echo.frameBytes < size + 1024)
    #expect(try echo.reader.unimplemented.call.questionId == 1)
    #expect(try echo.reader.unimplemented.call.params.content.anyList().count == 2850)
  }

  @Test func `a table of shorter elements than descriptors is refused`() throws {
    let engine = engine()
    let sent = try engine.receive { root in
      root.callExport(1, 0)
      // A list of words may be read as one of structs (encoding specification, "Lists").
      let table = try root.call.params._raw.pointer(1).initList(of: UInt64.self, count: 200)
      for index in table.indices { table[index] = 1 | UInt64(index) << 32 }
    }
    #expect(sent.first?.hasPrefix("abort: a message of 2") == true)
    #expect(sent.first?.hasSuffix("has a table of 200 capabilities") == true)
  }

  @Test func `capabilities count among the words in flight`() throws {
    let engine = engine { $0.wordsInFlight = 600 }
    for question in 1...2 as ClosedRange<UInt32> {
      _ = try engine.receive {
        $0.callExport(question, 0)
        let table = try $0.call.params.initCapTable(16)
        for index in table.indices { table[index].senderHosted = UInt32(index) }
      }
    }
    #expect(engine.delivered.count == 1)
    #expect(engine.connection.statistics.limitsReached == [.wordsInFlight: 1])
  }

  @Test func `a copy counts among the words in flight until the call has ended`() throws {
    let engine = engine { $0.wordsInFlight = 600 }
    _ = engine.receive { $0.callExport(1, 0) }
    engine.connection.noteCopy(words: 600, for: try engine.token(0))
    _ = engine.receive { $0.callExport(2, 0) }
    #expect(engine.delivered.count == 1)
    _ = engine.answer(try engine.token(0), with: nil)
    #expect(engine.delivered.count == 2)
    // It has ended, and counts no more.
    engine.connection.noteCopy(words: 600, for: try engine.token(0))
    _ = engine.receive { $0.callExport(3, 0) }
    #expect(engine.delivered.count == 3)
  }

  private static func words(of message: borrowing MessageBuilder) -> [UInt64] {
    let frame = message.flattened()
    return stride(from: 0, to: frame.count, by: 8).map { start in
      (0..<8).reduce(0) { $0 | UInt64(frame[start + $1]) << UInt64($1 * 8) }
    }
  }
}

/// A message that the peer would not take ends the call that it is for, and nothing else.
@Suite struct SentMessageLimitTests {
  private func engine() -> Engine {
    var limits = ConnectionLimits()
    limits.sentMessageWords = 200
    let engine = Engine(bootstrap: Object(), limits: limits)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    return engine
  }

  private func reached(_ engine: Engine) -> Int? {
    engine.connection.statistics.limitsReached[.sentMessageWords]
  }

  @Test func `a call that is too long fails`() {
    let engine = engine()
    let handle = engine.remote()
    let builder = MessageBuilder()
    builder.build(Message.Builder.self) {
      _ = $0.initCall().initParams().content.initList(of: UInt64.self, count: 300)
    }
    let asker = Asker()
    _ = engine.connection.call(handle.node, OutgoingCall(builder), caller: asker) { asker }
    #expect(engine.sent() == [])
    #expect(asker.error?.kind == .failed)
    #expect(asker.error?.reason.contains("sentMessageWords") == true)
    #expect(reached(engine) == 1)
    let next = Asker()
    #expect(engine.call(handle.node, asker: next) == ["call 0 of import 3"])
    #expect(engine.connection.failure == nil)
  }

  @Test func `results that are too long fail their call`() throws {
    let engine = engine()
    _ = engine.receive { $0.callExport(1, 0) }
    let builder = MessageBuilder()
    builder.build(Message.Builder.self) {
      _ = $0.initReturn().initResults().content.initList(of: UInt64.self, count: 300)
    }
    engine.connection.returnResults(builder, for: try engine.token(0))
    let sent = engine.sent()
    #expect(sent.count == 1)
    #expect(sent.first?.hasPrefix("return 1: failed the results would need") == true)
    #expect(reached(engine) == 1)
    #expect(engine.connection.failure == nil)
  }

  @Test func `an error whose text is too long is sent without it`() throws {
    let engine = engine()
    _ = engine.receive { $0.callExport(1, 0) }
    let sent = engine.fail(try engine.token(0), String(repeating: "no", count: 2000))
    #expect(
      sent == ["return 1: failed the error's text is longer than a message to the peer may be"])
  }
}
