import CapTP
import CapnProto
import Testing

/// rpc.capnp, `CapDescriptor.attachedFd`.
struct DescriptorTests {
  /// What went out: for each message the descriptors of its capabilities, and what came with it.
  struct Sent {
    var indices: [UInt8] = []
    var attached: [ObjectIdentifier] = []
  }

  private func sent(_ engine: Engine) throws -> [Sent] {
    var all: [Sent] = []
    while let message = engine.connection.nextMessage() {
      var sent = Sent()
      if case .call(let call) = try message.reader.which {
        let table = try call.params.capTable
        sent.indices = table.indices.map { table[$0].attachedFd }
      }
      sent.attached = engine.connection.takeDescriptors().map { ObjectIdentifier($0) }
      all.append(sent)
    }
    return all
  }

  private func call(_ engine: Engine, _ node: NodeID, with hooks: [any CapabilityHook]) {
    let builder = MessageBuilder()
    builder.build(Message.Builder.self) {
      let call = $0.initCall()
      call.interfaceId = 1
      let list = call.initParams().content.initStructure(
        layout: StructLayout(dataWords: 0, pointers: UInt16(hooks.count)))
      for (index, hook) in hooks.enumerated() { list.pointer(index).setCapability(hook) }
    }
    _ = engine.connection.call(node, OutgoingCall(builder), caller: Asker()) { Asker() }
  }

  @Test func `a capability's descriptor leaves with the message that gives the capability`() throws
  {
    let engine = Engine(carriesDescriptors: true)
    let target = engine.connection.bootstrap()
    let (first, second) = (Descriptor(), Descriptor())
    call(engine, target.node, with: [Object()])
    call(engine, target.node, with: [Object(first), Object(), Object(second)])
    call(engine, target.node, with: [Object()])
    let sent = try sent(engine)
    #expect(sent.map(\.indices) == [[], [0xff], [0, 0xff, 1], [0xff]])
    #expect(
      sent.map(\.attached) == [
        [], [], [ObjectIdentifier(first), ObjectIdentifier(second)], [],
      ])
  }

  @Test func `a transport that carries none is given none`() throws {
    let engine = Engine()
    let target = engine.connection.bootstrap()
    call(engine, target.node, with: [Object(Descriptor())])
    let sent = try sent(engine)
    #expect(sent.map(\.indices) == [[], [0xff]])
    #expect(sent.map(\.attached) == [[], []])
  }

  @Test func `no message carries more than the system takes`() throws {
    let engine = Engine(carriesDescriptors: true)
    let target = engine.connection.bootstrap()
    call(engine, target.node, with: (0..<300).map { _ in Object(Descriptor()) })
    let last = try #require(try sent(engine).last)
    #expect(last.attached.count == 253)
    #expect(last.indices.filter { $0 != 0xff }.count == 253)
  }

  /// The engine, which got a call with two capabilities of the peer, and the descriptors of these.
  private func receive(
    _ indices: [UInt8], with attached: [any AttachedDescriptor], carries: Bool = true
  ) throws -> (Engine, [ObjectIdentifier?]) {
    let engine = Engine(bootstrap: Object(), carriesDescriptors: carries)
    _ = engine.receive { $0.bootstrapQuestion(0) }
    let builder = MessageBuilder()
    try builder.build(Message.Builder.self) { message in
      message.callExport(1, 0)
      let payload = try message.call.params
      let list = payload.content.initStructure(
        layout: StructLayout(dataWords: 0, pointers: UInt16(indices.count)))
      for index in 0..<indices.count { list.pointer(index).setCapability(Object()) }
      let table = payload.initCapTable(indices.count)
      for (index, fd) in indices.enumerated() {
        table[index].senderHosted = UInt32(index)
        table[index].attachedFd = fd
      }
    }
    engine.connection.receive(builder.freeze(), with: attached)
    _ = engine.sent()
    guard case .deliver(let call, _, _)? = engine.effects.last else { return (engine, []) }
    let found = try indices.indices.map { index in
      let hook = try call.message.reader.call.params.content.structure().pointer(index)
        .capability()
      let handle = try #require(hook as? Handle)
      let known = engine.connection.descriptor(of: handle.node)
      #expect(known === handle.descriptor)
      return known.map { ObjectIdentifier($0) }
    }
    return (engine, found)
  }

  @Test func `a descriptor that came belongs to the capability that names it`() throws {
    let (first, second) = (Descriptor(), Descriptor())
    let (_, found) = try receive([1, 0xff, 0], with: [first, second])
    #expect(found == [ObjectIdentifier(second), nil, ObjectIdentifier(first)])
  }

  @Test(arguments: [1, 7, 0xfe, 0xff] as [UInt8])
  func `an index past the end means no descriptor`(_ index: UInt8) throws {
    let (_, found) = try receive([index], with: [Descriptor()])
    #expect(found == [nil])
  }

  @Test func `no index is none, however many came`() throws {
    let (_, found) = try receive([0xff], with: (0..<300).map { _ in Descriptor() })
    #expect(found == [nil])
  }

  @Test func `a connection that carries none takes none`() throws {
    let (_, found) = try receive([0], with: [Descriptor()], carries: false)
    #expect(found == [nil])
  }

  @Test func `a descriptor is let go of with its capability`() throws {
    var descriptor: Descriptor? = Descriptor()
    weak let seen = descriptor
    let (engine, found) = try receive([0], with: [descriptor].compactMap { $0 })
    descriptor = nil
    #expect(found.count == 1)
    #expect(seen != nil)
    engine.effects = []
    _ = engine.receive { $0.finishQuestion(1) }
    engine.connection.disconnect(.disconnected("over"))
    _ = engine.sent()
    engine.effects = []
    #expect(seen == nil)
  }

  @Test func `a descriptor that no capability names is let go of at once`() throws {
    var descriptor: Descriptor? = Descriptor()
    weak let seen = descriptor
    let (engine, _) = try receive([0xff], with: [descriptor].compactMap { $0 })
    descriptor = nil
    #expect(seen == nil)
    withExtendedLifetime(engine) {}
  }
}
