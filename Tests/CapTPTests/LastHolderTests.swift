import CapTP
import CapnProto
import Testing

/// Objects of this side that nothing holds any more but what the engine keeps for a peer. They are let go
/// of by effects: the engine runs under a lock, and what an object does when it goes may need that lock.
@Suite struct LastHolderTests {
  /// An engine that holds a large call back, and behind it a step that alone holds an object.
  private struct Case {
    let engine: Engine
    weak let object: Object?

    init(_ build: (Message.Builder, _ export: UInt32) -> Void) throws {
      var limits = ConnectionLimits()
      limits.wordsInFlight = 100
      engine = Engine(bootstrap: Object(), limits: limits)
      _ = engine.receive { $0.bootstrapQuestion(0) }
      _ = engine.receive { $0.callExport(1, 0) }
      let made = Object()
      #expect(engine.answer(try engine.token(0), with: made) == ["return 1: results hosted 1"])
      _ = engine.receive { $0.finishQuestion(1, releasing: false) }
      _ = engine.receive { $0.largeCall(2) }
      _ = engine.receive { $0.largeCall(3) }
      _ = engine.receive { $0.callExport(4, 1) }
      _ = engine.receive { build($0, 1) }
      _ = engine.receive { $0.releaseExport(1, 1) }
      object = made
    }

    /// Ends the calls that the object's waits for, of which one is under way.
    func endLargeCalls() throws {
      let first = try engine.token(1)
      engine.connection.returnError(.failed("first"), for: first)
      try step()
      engine.connection.returnError(.failed("second"), for: try engine.token(2))
      engine.effects = []
    }

    /// Has the engine say what is to be done next.
    func step() throws {
      let effect = engine.connection.nextEffect()
      engine.effects.append(try #require(effect))
    }
  }

  @Test func `the object of a held call that was finished outlives the step`() throws {
    let held = try Case { message, _ in message.finishQuestion(4) }
    try held.endLargeCalls()
    #expect(held.object != nil)
    try held.step()
    #expect(held.object != nil)
    held.engine.runAll()
    #expect(held.object == nil)
    #expect(held.engine.connection.failure == nil)
  }

  @Test func `the object of a held disembargo outlives the step`() throws {
    let held = try Case { message, export in message.disembargo(0) { $0.importedCap = export } }
    try held.endLargeCalls()
    try held.step()
    held.engine.effects = []
    #expect(held.object != nil)
    // It does not lead back to the peer, which has broken a rule.
    try held.step()
    #expect(held.object != nil)
    held.engine.runAll()
    #expect(held.object == nil)
    #expect(held.engine.connection.failure != nil)
  }

  @Test func `the object of what is held outlives the end of the connection`() throws {
    for isCall in [true, false] {
      let held = try Case { message, export in
        if isCall {
          message.finishQuestion(4)
        } else {
          message.disembargo(0) { $0.importedCap = export }
        }
      }
      held.engine.effects = []
      held.engine.connection.disconnect(.disconnected("cut"))
      #expect(held.object != nil)
      held.engine.runAll()
      #expect(held.object == nil)
    }
  }

  @Test func `a descriptor outlives the end of its import, and of the connection`() throws {
    for isCut in [false, true] {
      let engine = Engine(dropsHandles: true, carriesDescriptors: true)
      var came: Descriptor? = Descriptor()
      weak let descriptor = came
      var reference: (any ReferenceHandle)? = engine.connection.bootstrap()
      _ = engine.sent()
      let message = MessageBuilder()
      message.build(Message.Builder.self) {
        $0.returnCapability(0) { capability in
          capability.senderHosted = 3
          capability.attachedFd = 0
        }
      }
      engine.connection.receive(message.freeze(), with: [try #require(came)])
      came = nil
      engine.runAll()
      #expect(descriptor != nil)
      if isCut { engine.connection.disconnect(.disconnected("cut")) }
      withExtendedLifetime(reference) {}
      reference = nil
      _ = engine.sent()
      // Held by the effect that lets go of it.
      #expect(descriptor != nil)
      engine.runAll()
      #expect(descriptor == nil)
    }
  }
}

extension Engine {
  /// Has done, and forgets, all that the engine asks for.
  fileprivate func runAll() {
    _ = sent()
    effects = []
  }
}
