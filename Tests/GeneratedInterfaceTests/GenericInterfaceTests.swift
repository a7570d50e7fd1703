import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

/// Keeps texts. Two of its interfaces are generic, bound to Text.
private final class TextStore: Both.PartialServer {
  private let content = Mutex("")

  func get(_ call: Store.GetCall<TextType>) async throws {
    call.reply {
      $0.value.string = content.withLock { $0 }
      $0.cell.content.string = "cell"
      $0.cell.kept.string = "kept"
    }
  }

  func put(_ call: Store.PutCall<TextType>) async throws {
    let text = try call.params.value.string
    content.withLock { $0 = text }
  }

  func echo(_ call: Store.EchoCall<TextType>) async throws {
    try call.reply {
      try $0.value.set(call.params.value)
      try $0.box.value.set(call.params.value)
    }
  }

  func convert(_ call: Store.ConvertCall<TextType>) async throws {
    try call.reply { try $0.value.set(call.params.value) }
  }

  func sub(_ call: Store.SubCall<TextType>) async throws {
    call.reply {
      $0.store = .server(TextStore())
      $0.own = .server(Peek())
    }
  }

  func stream(_ call: Store.StreamCall<TextType>) async throws {
    let text = try call.params.value.string
    content.withLock { $0 += text }
  }

  func name(_ call: Named.NameCall<TextType>) async throws {
    call.reply { $0.name.string = "name" }
  }

  func count(_ call: Counted.CountCall) async throws {
    call.reply { $0.count = content.withLock { UInt32($0.count) } }
  }
}

private final class Peek: Store.Inner.Server {
  func peek(_ call: Store.Inner.PeekCall<TextType>) async throws {
    call.reply { $0.value.string = "peeked" }
  }
}

/// Keeps what it is given, whatever its type is.
private final class AnyStore<Content: PointerType>: Store.PartialServer {
  typealias Store_T = Content
  private let kept = Mutex<Ref<Store.PutParams.Reader<Content>>?>(nil)

  func put(_ call: PutCall) async throws {
    let params = try call.params.retained()
    kept.withLock { $0 = params }
  }

  func get(_ call: GetCall) async throws {
    let kept = kept.withLock { $0 }
    try call.reply { if let kept { try $0.value.set(kept.reader.value) } }
  }
}

private final class LenderObject: Lender.Server {
  func texts(_ call: TextsCall) async throws {
    call.reply { $0.store = .server(AnyStore<TextType>()) }
  }
  func nodes(_ call: NodesCall) async throws {
    call.reply { $0.store = .server(AnyStore<Node>()) }
  }
  func boxes(_ call: BoxesCall) async throws {
    call.reply { $0.store = .server(AnyStore<Box.Of<DataType>>()) }
  }
  func any(_ call: AnyCall) async throws {
    call.reply { $0.store = .server(AnyStore<AnyPointerType>()) }
  }
  func pipes(_ call: PipesCall) async throws {
    call.reply {
      $0.box.value.client = File.Client.server(FileObject(name: "boxed")).asNode
      $0.nested.value.structure.value.client = File.Client.server(FileObject(name: "nested")).asNode
      $0.pair.first.string = "first"
      $0.pair.boxed.second.value.client = Both.Client.server(TextStore()).asStore
      $0.pair.inner.both.first.client = Both.Client.server(TextStore()).asStore
    }
  }
  func wrap(_ call: WrapCall) async throws {
    try call.reply {
      try $0.box.value.set(call.params.value)
      try $0.pair.first.set(call.params.value)
      $0.pair.boxed.second.value.client = .server(AnyStore<AnyPointerType>())
    }
  }
  func caps(_ call: CapsCall) async throws {
    let caps = try call.params.caps.map { $0 }
    call.reply {
      let list = $0.initCaps(caps.count)
      for (index, cap) in caps.reversed().enumerated() { list[index] = cap }
    }
  }
}

@Suite(.timeLimit(.minutes(5))) struct GenericInterfaceTests {
  private let store = Self.remote(Both.Client.server(TextStore()))
  private let lender = Self.remote(Lender.Client.server(LenderObject()))

  /// A reference to the object from another vat.
  private static func remote<Client: CapabilityClient>(_ object: Client) -> Client {
    InMemoryNetwork.connect(server: Capability(object)).client.bootstrap(as: Client.self)
  }

  @Test func inheritedMethodsHaveTheBoundTypes() async throws {
    try await store.put { $0.value.string = "hello" }.finished()
    let got = try await store.get().results()
    #expect(try got.reader.value.string == "hello")
    #expect(try got.reader.cell.content.string == "cell")
    #expect(try got.reader.cell.kept.string == "kept")
    #expect(try await store.name().results { try $0.name.string } == "name")
    #expect(try await store.count().results { $0.count } == 5)
    let base: Store.Client<TextType> = store.asNamed.asStore
    #expect(try await base.get().results { try $0.value.string } == "hello")
  }

  @Test func methodsOfTheirOwnParametersTakeAnyType() async throws {
    let echoed = try await store.echo(DataType.self) {
      $0.value.array = [1, 2]
      $0.other.string = "other"
    }.results()
    #expect(try echoed.reader.value.array == [1, 2])
    #expect(try echoed.reader.box.value.array == [1, 2])
    let converted = try await store.convert(Box.Of<TextType>.self) {
      $0.value.initialize().value.string = "nested"
    }.results()
    #expect(try converted.reader.value.value.string == "nested")
  }

  @Test func capabilitiesInGenericResultsArePipelined() async throws {
    let call = store.sub()
    let put = call.pipeline.store.put { $0.value.string = "pipelined" }
    #expect(try await call.pipeline.store.get().results { try $0.value.string } == "pipelined")
    try await put.finished()
    #expect(try await call.pipeline.own.peek().results { try $0.value.string } == "peeked")
  }

  @Test func pointersOfAParameterArePipelinedAsTheBoundType() async throws {
    let nodes = lender.nodes().pipeline.store
    try await nodes.put { $0.value.client = File.Client.server(FileObject(name: "n")).asNode }
      .finished()
    let label = nodes.get().pipeline.value.client.label()
    #expect(try await label.results { try $0.label.string } == "node n")
  }

  @Test func capabilitiesInGenericStructsArePipelined() async throws {
    let call = lender.pipes().pipeline
    #expect(try await call.box.value.client.label().results { try $0.label.string } == "node boxed")
    let nested = call.nested.value.structure.value.client.label()
    #expect(try await nested.results { try $0.label.string } == "node nested")
    let store = call.pair.boxed.second.value.client
    try await store.put { $0.value.string = "put" }.finished()
    #expect(try await store.get().results { try $0.value.string } == "put")
    let swapped = call.pair.inner.both.first.client
    #expect(try await swapped.get().results { try $0.value.string } == "")
  }

  @Test func capabilitiesInResultsOfGenericMethodsArePipelined() async throws {
    let node = File.Client.server(FileObject(name: "wrapped")).asNode
    let wrapped = lender.wrap(Node.self) { $0.value.client = node }.pipeline
    let label = wrapped.box.value.client.label()
    #expect(try await label.results { try $0.label.string } == "node wrapped")
    let store = wrapped.pair.boxed.second.value.client
    try await store.put { $0.value.client = node }.finished()
    let kept = store.get().pipeline.value.client.label()
    #expect(try await kept.results { try $0.label.string } == "node wrapped")
  }

  @Test func anObjectMayBeGeneric() async throws {
    let boxes = lender.boxes().pipeline.store
    try await boxes.put { $0.value.structure.value.array = [9] }.finished()
    #expect(try await boxes.get().results { try $0.value.value.array } == [9])
    let any = lender.any().pipeline.store
    try await any.put { $0.value.any.setText("any") }.finished()
    #expect(try await any.get().results { try $0.value.text().string } == "any")
    await #expect { try await any.sub().finished() } throws: { error in
      "\(error)".contains("Store.sub is not implemented")
    }
  }

  @Test func listsHoldUntypedCapabilities() async throws {
    let file = Capability(File.Client.server(FileObject(name: "f")))
    let results = try await lender.caps {
      let list = $0.initCaps(2)
      list[0] = file
      list[1] = Capability(store)
    }.results()
    let caps = try results.reader.caps.map { $0 }
    #expect(
      try await caps[1].cast(to: Node.Client.self).label().results { try $0.label.string }
        == "node f")
    #expect(try await caps[0].cast(to: Counted.Client.self).count().results { $0.count } == 0)
  }

  @Test func streamingMethodsEndWithoutResults() async throws {
    for text in ["a", "b", "c"] { try await store.stream { $0.value.string = text } }
    #expect(try await store.get().results { try $0.value.string } == "abc")
  }
}
