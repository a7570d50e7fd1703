import Testing

@testable import CapnProto

/// A message that is passed on under another root has the same content, whatever that is.
@Suite struct EmbeddingTests {
  /// The frame of a message whose root has one pointer, to what the source's root leads to.
  private func passOn(_ segments: [[UInt64]], factor: Int = 2) throws -> MessageReader {
    var source = try MessageReader(flat: frame(segments))
    _ = source.limitTraversal(factor: factor)
    let structure = try source.root.structure()
    let builder = MessageBuilder(embedding: structure)
    try builder.build(Small.Builder.self) { try $0._raw.pointer(0).embed(structure.pointer(0)) }
    return builder.freeze()
  }

  private func roundTrip(_ segments: [[UInt64]]) throws -> MessageReader {
    try MessageReader(flat: passOn(segments).flattened())
  }

  @Test func `content in the first segment keeps its place`() throws {
    // The root, its pointer, and a text that is out of order.
    let message = try roundTrip([
      [structure(0, data: 0, pointers: 1), list(1, .byte, 8), 7, characters("content")]
    ])
    #expect(message.segmentCount == 1)
    let text = try message.root.structure().pointer(0).text()
    #expect(text.string == "content")
  }

  @Test func `content in another segment is led to by a double far pointer`() throws {
    let message = try roundTrip([
      [structure(0, data: 0, pointers: 1), far(1, 0)], [list(0, .byte, 8), characters("content")],
    ])
    let text = try message.root.structure().pointer(0).text()
    #expect(text.string == "content")
  }

  @Test func `far pointers within the content hold`() throws {
    let message = try roundTrip([
      [structure(0, data: 0, pointers: 1), structure(0, data: 0, pointers: 1), far(1, 0)],
      [list(0, .byte, 8), characters("content")],
    ])
    let text = try message.root.structure().pointer(0).structure().pointer(0).text()
    #expect(text.string == "content")
  }

  @Test func `a null pointer stays null and an empty struct empty`() throws {
    let null = try roundTrip([[structure(0, data: 0, pointers: 1), 0]])
    #expect(try null.root.structure().pointer(0).isNull == true)
    let empty = try roundTrip([
      [structure(0, data: 0, pointers: 1), structure(-1, data: 0, pointers: 0)]
    ])
    #expect(try empty.root.structure().pointer(0).kind == .structure)
  }

  @Test(arguments: [
    structure(-9, data: 1, pointers: 0), 7, far(5, 0), far(0, 900), list(0, .byte, 80),
    structure(0, data: 1, pointers: 0), list(-1, .inlineComposite, 1),
  ])
  func `a pointer out of its message or of no known kind is an error`(pointer: UInt64) {
    #expect(throws: DecodingError.self) {
      _ = try passOn([[structure(0, data: 0, pointers: 1), pointer]])
    }
  }

  @Test func `pointers that share their object cost no more than the message`() throws {
    let message = try passOn(Self.shared(pointers: 2000, words: 2000))
    #expect(message.frameBytes < 2 * 4002 * 8)
    #expect(throws: DecodingError.traversalLimitExceeded) {
      _ = try message.root.structure().pointer(0).totalSize()
    }
  }

  @Test func `the copy may be read for as many words as the source`() throws {
    let fits = try passOn(Self.shared(pointers: 2, words: 2000), factor: 3)
    #expect(try fits.root.structure().pointer(0).totalSize().words > 4000)
    #expect(throws: DecodingError.traversalLimitExceeded) {
      let exceeds = try passOn(Self.shared(pointers: 2, words: 2000), factor: 1)
      _ = try exceeds.root.structure().pointer(0).totalSize()
    }
  }

  @Test func `a message of many segments is copied into few`() throws {
    var segments = [[structure(0, data: 0, pointers: 1), far(1, 0)]]
    for index in 1...300 {
      let next = index < 300 ? far(UInt32(index) + 1, 0) : 0
      segments.append([structure(0, data: 0, pointers: 1), next])
    }
    var source = try MessageReader(
      flat: frame(segments), limits: ReaderLimits(traversalWords: .max, nestingDepth: 1000))
    _ = source.limitTraversal(factor: 2)
    let structure = try source.root.structure()
    let builder = MessageBuilder(embedding: structure)
    try builder.build(Small.Builder.self) { try $0._raw.pointer(0).embed(structure.pointer(0)) }
    let message = builder.freeze(limits: ReaderLimits(traversalWords: .max, nestingDepth: 1000))
    #expect(message.segmentCount < 10)
    #expect(try message.root.structure().pointer(0).totalSize().words == 300)
  }

  @Test func `what is erased is not passed on`() throws {
    let source = try MessageReader(
      flat: frame([
        [
          structure(0, data: 1, pointers: 2), 0x5ec2e7, list(1, .eightBytes, 1),
          list(1, .byte, 8), 0x5ec2e7, characters("content"),
        ]
      ]))
    let root = try source.root.structure()
    let builder = MessageBuilder(embedding: root)
    builder.erase(embedded: try root.pointer(0).anyList())
    let content = try root.pointer(1)
    builder.erase(embedded: root)
    try builder.build(Small.Builder.self) { try $0._raw.pointer(0).embed(content) }
    #expect(!words(of: builder).joined().contains(0x5ec2e7))
    let message = builder.freeze()
    #expect(try message.root.structure().pointer(0).text().string == "content")
  }

  /// A message whose root leads to a list of pointers, all to one list.
  private static func shared(pointers: Int, words: Int) -> [[UInt64]] {
    var segment = [
      structure(0, data: 0, pointers: 1), list(0, .pointer, UInt64(pointers)),
    ]
    for index in 0..<pointers {
      segment.append(list(pointers - 1 - index, .eightBytes, UInt64(words)))
    }
    segment += Array(repeating: 1, count: words)
    return [segment]
  }
}
