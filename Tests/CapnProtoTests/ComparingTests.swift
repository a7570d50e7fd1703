import CapnProto
import Testing

@Suite struct SizeTests {
  @Test func sizeIsThatOfACopy() throws {
    let message = tinyMessage()
    fill(message.initRoot(as: Sample.Builder.self))
    let size = try message.root.reader.totalSize()
    let copy = MessageBuilder(firstSegmentWords: 10_000)
    try copy.root.set(message.root.reader)
    #expect(size.words + 1 == copy.words)
    #expect(size.capabilities == 0)
    let typed = try message.root(as: Sample.Builder.self).reader.totalSize()
    #expect(typed == size)
    let list = message.root(as: Sample.Builder.self).reader._raw.pointer(6)
    #expect(try list.anyList().totalSize() == list.totalSize())
  }

  @Test func capabilitiesAreCounted() throws {
    let message = MessageBuilder()
    let list = message.root.initList(of: AnyPointerBuilder.self, count: 3)
    list[0].setCapability(Hook("a"))
    list[2].setCapability(Hook("b"))
    let size = try message.root.reader.totalSize()
    #expect(size == MessageSize(words: 3, capabilities: 2))
    #expect(try MessageBuilder().root.reader.totalSize() == MessageSize(words: 0, capabilities: 0))
  }

  @Test func workIsBounded() throws {
    let most: UInt64 = 1 << 29 - 1
    for words in [
      [list(0, .void, most)],
      [list(0, .inlineComposite, 0), tag(count: Int(most), data: 0, pointers: 0)],
    ] {
      #expect(errorReading(words) { _ = try $0.totalSize() } == .traversalLimitExceeded)
      #expect(errorReading(words) { _ = try $0.canonicalized() } == .traversalLimitExceeded)
      #expect(errorReading(words) { _ = try $0.equality(to: $0) } == .traversalLimitExceeded)
      let unlimited = ReaderLimits(traversalWords: .max, nestingDepth: 64)
      try reading(words, limits: unlimited) { (root) throws in
        #expect(try root.totalSize().words <= 1)
        #expect(try root.equality(to: root) == .equal)
        #expect(try root.canonicalized().count <= 16)
      }
    }
    let loop =
      [structure(0, data: 0, pointers: 1), structure(-1, data: 0, pointers: 1)] as [UInt64]
    #expect(errorReading(loop) { _ = try $0.totalSize() } == .nestingLimitExceeded)
    #expect(errorReading(loop) { _ = try $0.equality(to: $0) } == .nestingLimitExceeded)
    #expect(errorReading(loop) { _ = try $0.canonicalized() } == .nestingLimitExceeded)
    #expect(errorReading([7]) { _ = try $0.totalSize() } != nil)
    #expect(errorReading([7]) { _ = try $0.equality(to: $0) } != nil)
  }

  @Test func canonicalizingCountsWhatItReadsOnce() throws {
    let words = [structure(0, data: 10, pointers: 0)] + [UInt64](repeating: 1, count: 10)
    let limits = ReaderLimits(traversalWords: 25, nestingDepth: 64)
    try reading(words, limits: limits) { root in
      let form = try root.canonicalized()
      #expect(try root.canonicalized() == form)
      #expect(throws: DecodingError.traversalLimitExceeded) { _ = try root.canonicalized() }
    }
  }
}

@Suite struct EqualityTests {
  func filled() -> MessageBuilder {
    let message = tinyMessage()
    message.build(Sample.Builder.self) { fill($0) }
    return message
  }

  @Test func theSameContentInOtherPlacesIsEqual() throws {
    let one = filled()
    let other = MessageBuilder()
    fill(other.initRoot(as: Sample.Builder.self))
    #expect(try one.root.reader.equality(to: other.root.reader) == .equal)
    let sample = other.root(as: Sample.Builder.self)
    let first = one.root(as: Sample.Builder.self).reader
    #expect(try first.equality(to: sample.reader) == .equal)
    #expect(try first.children.equality(to: sample.reader.children) == .equal)
  }

  @Test func listsOfUnknownElementsAreCompared() throws {
    let message = MessageBuilder()
    let lists = message.root.initList(of: AnyPointerBuilder.self, count: 4)
    for index in 0..<3 {
      let texts = lists[index].initList(of: TextType.self, count: 2)
      texts[1] = index < 2 ? "same" : "other"
    }
    _ = lists[3].initList(of: UInt64.self, count: 2)
    let first = try lists[0].reader.anyList()
    #expect(try first.equality(to: lists[1].reader.anyList()) == .equal)
    #expect(try first.equality(to: lists[2].reader.anyList()) == .notEqual)
    #expect(try first.equality(to: lists[3].reader.anyList()) == .notEqual)
  }

  @Test func everyDifferenceIsFound() throws {
    let changes: [(Sample.Builder) -> Void] = [
      { $0.a = 1 }, { $0.flag = false }, { $0.x = -1 }, { $0.seven = 9 }, { $0.text = "other" },
      { $0.text = "text of the samplE" }, { $0.data = [1, 2] }, { $0.child.a = 1 },
      { $0._raw.pointer(2).clear() }, { $0.numbers[4] = 1 }, { $0.bools[10] = false },
      { $0.bools[3] = true }, { $0.texts[1] = "x" }, { $0.children[1].child.text = "x" },
      { _ = $0.initBools(10) }, { $0._raw.pointer(8).clear() },
      { $0._raw.pointer(9).setText("x") },
      { _ = $0._raw.pointer(3).initList(of: UInt32.self, count: 5) },
    ]
    for (index, change) in changes.enumerated() {
      let one = filled()
      let other = filled()
      change(other.root(as: Sample.Builder.self))
      let result = try one.root.reader.equality(to: other.root.reader)
      #expect(result == .notEqual, "change \(index)")
      let turned = try other.root.reader.equality(to: one.root.reader)
      #expect(turned == .notEqual, "change \(index)")
    }
  }

  @Test func zerosThatOnlyANewerVersionHasDoNotCount() throws {
    let newer = [structure(0, data: 2, pointers: 1), 5, 0, 0] as [UInt64]
    let changed = [structure(0, data: 2, pointers: 1), 5, 0, list(0, .byte, 0)] as [UInt64]
    try reading([structure(0, data: 1, pointers: 0), 5]) { (older) throws in
      try reading(newer) { (root) throws in
        #expect(try older.equality(to: root) == .equal)
        #expect(try root.equality(to: older) == .equal)
      }
      try reading(changed) { (root) throws in
        #expect(try older.equality(to: root) == .notEqual)
      }
    }
  }

  @Test func capabilitiesAreUnknown() throws {
    let one = MessageBuilder()
    let other = MessageBuilder()
    one.initRoot(as: Sample.Builder.self).any.setCapability(Hook("a"))
    other.initRoot(as: Sample.Builder.self).any.setCapability(Hook("a"))
    #expect(
      try one.root.reader.equality(to: other.root.reader) == .unknownContainsCapabilities)
    other.root(as: Sample.Builder.self).a = 1
    #expect(try one.root.reader.equality(to: other.root.reader) == .notEqual)
    other.root(as: Sample.Builder.self).any.clear()
    #expect(try one.root.reader.equality(to: other.root.reader) == .notEqual)
  }
}

@Suite struct CanonicalTests {
  static func isCanonical(_ bytes: [UInt8]) throws -> Bool {
    let message = try MessageReader(flat: bytes)
    return try message.isCanonical()
  }

  static func isCanonical(_ segments: [[UInt64]]) throws -> Bool {
    try isCanonical(frame(segments))
  }

  static func form(_ segments: [[UInt64]]) throws -> [UInt8] {
    let message = try MessageReader(flat: frame(segments))
    return try message.root.canonicalized()
  }

  static func framed(_ canonical: [UInt8]) -> [UInt8] {
    let words = canonical.count / 8
    return [0, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: words >> (8 * $0)) } + canonical
  }

  @Test(arguments: [1, 4, 40, 1000]) func toolAgrees(firstSegmentWords: Int) throws {
    let message = OracleTests.message(firstSegmentWords: firstSegmentWords)
    let theirs = try OracleTests.capnp(
      "convert", ["binary:canonical"], input: message.flattened()
    ).output
    #expect(try message.root.reader.canonicalized() == theirs)
    #expect(try message.root(as: Sample.Builder.self).reader.canonicalized() == theirs)
    #expect(try Self.isCanonical(Self.framed(theirs)))
  }

  @Test func theSameContentHasTheSameForm() throws {
    let plain = [structure(0, data: 1, pointers: 1), 5, list(0, .byte, 3), 0x00_6968] as [UInt64]
    // Longer sections, another order, far pointers, bits of the sender's past an element.
    let others: [[[UInt64]]] = [
      [[structure(0, data: 2, pointers: 2), 5, 0, list(1, .byte, 3), 0, 0x00_6968]],
      [[structure(1, data: 1, pointers: 1), 0x6968, 5, list(-3, .byte, 3)]],
      [
        [far(1, 0)], [structure(0, data: 1, pointers: 1), 5, far(2, 0)],
        [list(0, .byte, 3), 0x6968],
      ],
      [[structure(0, data: 1, pointers: 1), 5, list(0, .byte, 3), 0xffff_ffff_ff00_6968]],
    ]
    #expect(try Self.isCanonical([plain]))
    let form = try Self.form([plain])
    #expect(Self.framed(form) == frame([plain]))
    for other in others {
      #expect(try !Self.isCanonical(other))
      #expect(try Self.form(other) == form)
    }
  }

  @Test func edgesOfTheForm() throws {
    let canonical: [[UInt64]] = [
      [0], [structure(-1, data: 0, pointers: 0)], [list(0, .void, 7)], [list(0, .byte, 0)],
      [list(0, .inlineComposite, 0), tag(count: 0, data: 0, pointers: 0)],
      [list(0, .inlineComposite, 0), tag(count: 3, data: 0, pointers: 0)],
      [list(0, .inlineComposite, 2), tag(count: 2, data: 1, pointers: 0), 0, 1],
      [list(0, .bit, 3), 7], [list(0, .pointer, 2), 0, 0],
    ]
    for words in canonical {
      #expect(try Self.isCanonical([words]), "\(words)")
      let form = try Self.form([words])
      #expect(Self.framed(form) == frame([words]), "\(words)")
    }
    let others: [[[UInt64]]] = [
      [[0, 0]], [[0], [0]], [[structure(1, data: 0, pointers: 0), 0]],
      [[structure(0, data: 1, pointers: 0), 0]], [[structure(0, data: 0, pointers: 1), 0]],
      [[structure(1, data: 1, pointers: 0), 0, 1]], [[list(0, .bit, 3), 15]],
      [[list(0, .byte, 3), 1 << 24]], [[list(1, .byte, 0), 0]], [[capability(0)]],
      [[list(0, .inlineComposite, 2), tag(count: 1, data: 1, pointers: 0), 1, 0]],
      [[list(0, .inlineComposite, 2), tag(count: 2, data: 1, pointers: 0), 0, 0]],
      [[list(0, .inlineComposite, 2), tag(count: 1, data: 1, pointers: 1), 1, 0]],
      [[far(0, 1), structure(0, data: 1, pointers: 0), 1]],
    ]
    for segments in others { #expect(try !Self.isCanonical(segments), "\(segments)") }
  }

  @Test func capabilitiesHaveNone() throws {
    let message = MessageBuilder()
    message.initRoot(as: Sample.Builder.self).any.setCapability(Hook("a"))
    #expect(throws: DecodingError.capabilityInCanonicalForm) {
      _ = try message.root.reader.canonicalized()
    }
    #expect(throws: DecodingError.capabilityInCanonicalForm) {
      _ = try message.root(as: Sample.Builder.self).reader.canonicalized()
    }
  }
}
