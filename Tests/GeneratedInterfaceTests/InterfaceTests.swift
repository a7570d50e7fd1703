import CapnProto
import CapnProtoRPC
import Testing

@Suite(.timeLimit(.minutes(5))) struct InterfaceTests {
  private let file = File.Client.server(FileObject(name: "x"))
  private let directory = Directory.Client.server(DirectoryObject())

  @Test func ownAndInheritedMethodsAreCalled() async throws {
    let first = try await file.size().results()
    #expect(first.reader.size == 42)
    let second = try await file.read().results()
    #expect(try second.reader.bytes.count == 8)
    let third = try await file.read { $0.count = 2 }.results()
    #expect(try third.reader.bytes.array == [7, 7])
    let fourth = try await file.write { $0.bytes = [1, 2, 3] }.results()
    #expect(fourth.reader.written == 3)
    let fifth = try await file.init_().results()
    #expect(fifth.reader.value == 1)
    try await file.self_().finished()
  }

  @Test func methodsOfTheSameNameAreToldApart() async throws {
    let first = try await file.label().results()
    #expect(try first.reader.label.string == "node x")
    let second = try await file.labelFile().results()
    #expect(try second.reader.label.string == "file x")
    try await file.close().finished()
    let third = try await file.closeWritable().results()
    #expect(third.reader.flushed == true)
  }

  @Test func aClientIsAClientOfItsAncestors() async throws {
    let first = try await file.asNode.label().results()
    #expect(try first.reader.label.string == "node x")
    let second = try await file.asWritable.close().results()
    #expect(second.reader.flushed == true)
    let third = try await file.asReadable.asNode.label().results()
    #expect(try third.reader.label.string == "node x")
  }

  @Test func capabilitiesGoBothWays() async throws {
    let observer = ObserverObject()
    let call = file.open {
      $0.name = "y"
      $0.observer = Observer.Client.server(observer)
    }
    let label = call.pipeline.file.labelFile()
    let opened = try await call.results()
    let first = try await #require(try opened.reader.file).size().results()
    #expect(first.reader.size == 42)
    let second = try await label.results()
    #expect(try second.reader.label.string == "file y")
    #expect(await observer.events == ["opened y by node x"])
  }

  @Test func structsServeAsParamsAndResults() async throws {
    let observer = Observer.Client.server(ObserverObject())
    let found = try await observer.find { $0.text = "abc" }.results()
    #expect(try found.reader.text.string == "ABC")
  }

  @Test func pipelinesLeadThroughStructsGroupsAndUnions() async throws {
    let call = directory.lookup {
      let path = $0.initPath(2)
      path[0] = "a"
      path[1] = "b"
    }
    let file = call.pipeline.file.label()
    let owner = call.pipeline.details.owner.label()
    let backup = call.pipeline.details.inner.backup.lookup().pipeline.file.size()
    let first = try await file.results()
    #expect(try first.reader.label.string == "node b")
    let second = try await owner.results()
    #expect(try second.reader.label.string == "node owner")
    let third = try await backup.results()
    #expect(third.reader.size == 42)
    let leaf = directory.recursive().pipeline.left.right.leaf.label()
    let fourth = try await leaf.results()
    #expect(try fourth.reader.label.string == "node leaf")
    let entry = try await call.results()
    if case .file(let file?) = try entry.reader.which {
      let fifth = try await file.size().results()
      #expect(fifth.reader.size == 42)
    } else {
      Issue.record("no file")
    }
  }

  @Test func listsHoldCapabilities() async throws {
    let results = try await directory.list().results()
    let nodes = try results.reader.nodes.map { $0 }
    let first = try await nodes[1].label().results()
    #expect(try first.reader.label.string == "node b")
    guard case .directory(let inner?) = try results.reader.entries[0].which else {
      Issue.record("no directory")
      return
    }
    let second = try await inner.lookup().results()
    #expect(second.reader.hasName == true)
  }

  @Test func untypedCapabilitiesAreCast() async throws {
    let any = directory.any { $0.value.setClient(file) }
    let cast: File.Client = any.pipeline.value.capability.cast()
    let first = try await cast.size().results()
    #expect(first.reader.size == 42)
    let untyped = directory.untyped { $0.cap = Capability(file) }
    let node = untyped.pipeline.cap.cast(to: Node.Client.self)
    let second = try await node.label().results()
    #expect(try second.reader.label.string == "node x")
  }

  @Test func methodsLeftOutAreUnimplemented() async throws {
    await #expect {
      try await directory.plain().finished()
    } throws: { error in
      "\(error)".contains("Directory.plain is not implemented")
    }
  }

  @Test func aClientOfTheWrongInterfaceIsTold() async throws {
    let wrong = Capability(directory).cast(to: Node.Client.self)
    await #expect {
      try await wrong.label().finished()
    } throws: { error in
      "\(error)".contains("interfaces.capnp:Directory")
    }
  }

  @Test func interfacesKnowTheirMethodsAndAncestors() {
    #expect(File._interface.methods == ["size", "open", "label", "self", "init"])
    #expect(File._interface.superinterfaces.map(\.shortName) == ["Readable", "Writable"])
    #expect(File._interface.interface(Node._interface.id) === Node._interface)
    #expect(Leaf._interface.superinterfaces.first === Empty._interface)
  }
}
