import CapnProto
import Testing

@Suite struct RefTests {
  @Test func refOutlivesItsMessage() throws {
    func received() throws -> Ref<Sample.Reader> {
      let message = tinyMessage()
      fill(message.initRoot(as: Sample.Builder.self))
      let reader = try MessageReader(flat: message.flattened())
      return try reader.root(as: Sample.Reader.self).retained()
    }
    let refs = try (0..<3).map { _ in try received() }
    for ref in refs { try expectFilled(ref.reader) }
  }

  @Test func refToAPartKeepsTheWhole() throws {
    func part(_ message: borrowing MessageReader) throws -> Ref<Sample.Reader> {
      try message.root(as: Sample.Reader.self).children[1].child.retained()
    }
    let ref = try part(frozenSample())
    #expect(try ref.reader.text == "grandchild")
  }

  @Test func refIsReadWhereverItIs() throws {
    func received(_ text: String) throws -> Ref<Sample.Reader> {
      let message = MessageBuilder()
      message.build(Sample.Builder.self) { $0.text = text }
      return try Ref(message.freeze())
    }
    let list = [try received("first")]
    let named = ["x": try received("second")]
    #expect(try list[0].read { try $0.text.string } == "first")
    #expect(try named["x"]?.read { try $0.text.string } == "second")
    #expect(try named["y"]?.read { try $0.text.string } == nil)
    #expect(try received("third").read { try $0.text.string } == "third")
    #expect(try list.map { try $0.read { try $0.text.string } } == ["first"])
    let shared = try SharedMessage(MessageReader(flat: list[0].flattened()))
    #expect(try shared.read(Sample.Reader.self) { try $0.text.string } == "first")
    let text = try MessageReader(flat: list[0].flattened()).read(Sample.Reader.self) {
      try $0.text.string
    }
    #expect(text == "first")
  }

  @Test func refTakesAMessage() throws {
    let message = MessageBuilder()
    message.build(Sample.Builder.self) { fill($0) }
    let ref = try Ref<Sample.Reader>(message.freeze())
    try expectFilled(ref.reader)
    let error = DecodingError.unexpectedPointer(expected: .structure, found: .list)
    #expect(throws: error) {
      _ = try Ref<Sample.Reader>(MessageReader(flat: frame([[list(0, .byte, 0)]])))
    }
  }

  @Test func retainingFromABuilderCopies() throws {
    let message = MessageBuilder()
    let sample = message.initRoot(as: Sample.Builder.self)
    fill(sample)
    sample.any.setCapability(Hook("kept"))
    let ref = try sample.reader.retained()
    sample.text = "changed"
    #expect(try ref.reader.text == "text of the sample")
    #expect(try name(ref.reader.any.capability()) == "kept")
  }

  @Test func retainingFromBorrowedBytesCopies() throws {
    let message = tinyMessage()
    fill(message.initRoot(as: Sample.Builder.self))
    var bytes = message.flattened()
    let ref = try MessageReader.read(flat: bytes.rawSpan) { message in
      try message.root(as: Sample.Reader.self).retained()
    }
    for index in bytes.indices { bytes[index] = 0xff }
    try expectFilled(ref.reader)
  }

  @Test func retainingHostileBorrowedBytesIsAnError() throws {
    let bytes = frame([[structure(0, data: 0, pointers: 1), list(9, .byte, 9)]])
    #expect(throws: DecodingError.pointerOutOfBounds) {
      try MessageReader.read(flat: bytes.rawSpan) { message in
        _ = try message.root(as: Sample.Reader.self).retained()
      }
    }
  }

  @Test func refIsReadByManyTasks() async throws {
    let message = tinyMessage()
    message.build(Sample.Builder.self) { fill($0) }
    let ref = try message.freeze().root(as: Sample.Reader.self).retained()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<50 { try expectFilled(ref.reader) }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func refIsReadByATaskWhileItsMessageEnds() async throws {
    let message = tinyMessage()
    message.build(Sample.Builder.self) { fill($0) }
    let bytes = message.flattened()
    /// Its message ends when it returns.
    func reading() throws -> Task<Void, any Error> {
      let reader = try MessageReader(flat: bytes)
      let ref = try reader.root(as: Sample.Reader.self).retained()
      return Task { for _ in 0..<20 { try expectFilled(ref.reader) } }
    }
    for _ in 0..<50 { try await reading().value }
  }

  @Test func messageIsReadByTwoTasksAtOnceWhileItsLimitIsRenewed() async throws {
    let message = tinyMessage()
    message.build(Sample.Builder.self) { fill($0) }
    // A pass reads less than the limit, and so many more: both tasks measure and renew.
    let limits = ReaderLimits(traversalWords: message.words * 2, nestingDepth: 64)
    let ref = try Ref<Sample.Reader>(MessageReader(flat: message.flattened(), limits: limits))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<2 {
        group.addTask {
          for _ in 0..<50 { try expectFilled(ref.reader) }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func refToNothingReadsDefaults() throws {
    let message = try MessageReader(flat: frame([[structure(0, data: 0, pointers: 1), 0]]))
    let ref = try message.root(as: Sample.Reader.self).child.retained()
    #expect(ref.reader.seven == 7)
    #expect(try ref.reader.text.isEmpty == true)
  }
}
