import CapnProto
import Testing

/// What reading may cost is bounded, whatever the message says.
@Suite struct LimitTests {
  @Test func pointerLoopsEndAtTheNestingLimit() {
    // The struct's only pointer leads to the struct.
    let loop =
      [structure(0, data: 0, pointers: 1), structure(-1, data: 0, pointers: 1)] as [UInt64]
    var levels = 0
    let limits = ReaderLimits(traversalWords: .max, nestingDepth: 10)
    let error = errorReading(loop, limits: limits) { root in
      func descend(_ pointer: AnyPointerReader) throws {
        let object = try pointer.structure()
        levels += 1
        try descend(object.pointer(0))
      }
      try descend(root)
    }
    #expect(error == .nestingLimitExceeded)
    #expect(levels == 10)
    let copied = errorReading(loop, limits: limits) { root in
      let copy = MessageBuilder()
      try copy.root.set(root)
    }
    #expect(copied == .nestingLimitExceeded)
  }

  @Test func listLoopsEndAtTheNestingLimit() {
    let limits = ReaderLimits(traversalWords: .max, nestingDepth: 10)
    let pointers = [list(0, .pointer, 1), list(-1, .pointer, 1)] as [UInt64]
    let structs =
      [
        list(0, .inlineComposite, 1), tag(count: 1, data: 0, pointers: 1),
        list(-2, .inlineComposite, 1),
      ] as [UInt64]
    for loop in [pointers, structs] {
      let error = errorReading(loop, limits: limits) { root in
        func descend(_ pointer: AnyPointerReader) throws {
          try descend(try pointer.anyList().pointer(0))
        }
        try descend(root)
      }
      #expect(error == .nestingLimitExceeded)
    }
  }

  @Test func nestingOfZeroAdmitsNoObject() {
    let limits = ReaderLimits(traversalWords: .max, nestingDepth: 0)
    let object = [structure(0, data: 1, pointers: 0), 0] as [UInt64]
    #expect(
      errorReading(object, limits: limits) { _ = try $0.structure() } == .nestingLimitExceeded)
    #expect(
      errorReading([list(0, .byte, 0)], limits: limits) { _ = try $0.anyList() }
        == .nestingLimitExceeded)
  }

  @Test func theSameObjectCountsEachTimeThatItIsReached() throws {
    let limits = ReaderLimits(traversalWords: 35, nestingDepth: 64)
    let words = [structure(0, data: 10, pointers: 0)] + [UInt64](repeating: 0, count: 10)
    try reading(words, limits: limits) { (root) throws in
      for _ in 0..<3 { _ = try root.structure() }
      #expect(throws: DecodingError.traversalLimitExceeded) { _ = try root.structure() }
    }
  }

  @Test func listsAndBytesCountEachTimeThatTheyAreReached() throws {
    let structs =
      [list(0, .inlineComposite, 10), tag(count: 10, data: 1, pointers: 0)]
      + [UInt64](repeating: 0, count: 10)
    let bytes = [list(0, .byte, 80)] + [UInt64](repeating: 0, count: 10)
    // Within a struct as well, whose pointers are read by index.
    func within(_ words: [UInt64]) -> [UInt64] { [structure(0, data: 0, pointers: 1)] + words }
    let limits = ReaderLimits(traversalWords: 34, nestingDepth: 64)
    try reading(structs, limits: limits) { (root) throws in
      for _ in 0..<3 { _ = try root.list(of: Sample.Reader.self) }
      #expect(throws: DecodingError.traversalLimitExceeded) {
        _ = try root.list(of: Sample.Reader.self)
      }
    }
    try reading(bytes, limits: limits) { (root) throws in
      for _ in 0..<3 { _ = try root.data() }
      #expect(throws: DecodingError.traversalLimitExceeded) { _ = try root.data() }
    }
    try reading(within(structs), limits: limits) { (root) throws in
      let object = try root.structure()
      for _ in 0..<3 { _ = try object.readList(0, of: Sample.Reader.self) }
      #expect(throws: DecodingError.traversalLimitExceeded) {
        _ = try object.readList(0, of: Sample.Reader.self)
      }
    }
    try reading(within(bytes), limits: limits) { (root) throws in
      let object = try root.structure()
      for _ in 0..<3 { _ = try object.readData(0) }
      #expect(throws: DecodingError.traversalLimitExceeded) { _ = try object.readData(0) }
    }
  }

  @Test func elementsOfAListAreALevelDeeper() throws {
    // A list of one struct, whose pointer leads to another list.
    let words =
      [
        list(0, .inlineComposite, 1), tag(count: 1, data: 0, pointers: 1), list(0, .byte, 8), 0,
      ] as [UInt64]
    func bytes(_ depth: UInt16) throws {
      try reading(words, limits: ReaderLimits(traversalWords: 100, nestingDepth: depth)) {
        (root) throws in
        let list = try root.list(of: Sample.Reader.self)
        _ = try list[0]._raw.readList(0, of: UInt8.self)
      }
    }
    try bytes(2)
    #expect(throws: DecodingError.nestingLimitExceeded) { try bytes(1) }
  }

  @Test func amplificationByACopyEndsAtTheTraversalLimit() {
    // 1000 pointers to one text of 8000 bytes: 8 MB out of 16 kB.
    var words = [list(0, .pointer, 1000)]
    for index in 0..<1000 { words.append(list(999 - index, .byte, 8000)) }
    words += [UInt64](repeating: 0, count: 1000)
    let limits = ReaderLimits(traversalWords: 100_000, nestingDepth: 64)
    let error = errorReading(words, limits: limits) { root in
      let copy = MessageBuilder()
      do { try copy.root.set(root) } catch {
        #expect(copy.words < 110_000)
        throw error
      }
    }
    #expect(error == .traversalLimitExceeded)
  }

  @Test func elementsWithoutSizeCount() throws {
    let most: UInt64 = 1 << 29 - 1
    let voids = [list(0, .void, most)]
    let structs = [list(0, .inlineComposite, 0), tag(count: Int(most), data: 0, pointers: 0)]
    for words in [voids, structs] {
      #expect(errorReading(words) { _ = try $0.anyList() } == .traversalLimitExceeded)
      #expect(
        errorReading(words) {
          let copy = MessageBuilder()
          try copy.root.set($0)
        } == .traversalLimitExceeded)
      let unlimited = ReaderLimits(traversalWords: .max, nestingDepth: 64)
      try reading(words, limits: unlimited) { (root) throws in
        #expect(try root.anyList().count == Int(most))
        #expect(try root.list(of: VoidValue.self).count == Int(most))
        let list = try root.list(of: Sample.Reader.self)
        #expect(list[Int(most) - 1].a == 0)
        let copy = MessageBuilder()
        try copy.root.set(root)
        #expect(copy.words <= 2)
        #expect(try copy.root.reader.anyList().count == Int(most))
        copy.root.clear()
        #expect(copy.root.isNull == true)
      }
    }
  }

  @Test func keptMessageIsReadAnyNumberOfTimes() throws {
    let limits = ReaderLimits(traversalWords: 12, nestingDepth: 64)
    let words = [structure(0, data: 1, pointers: 1), 0, list(0, .byte, 80)]
    let bytes = frame([words + [UInt64](repeating: 0, count: 10)])
    let ref = try Ref<StructReader>(MessageReader(flat: bytes, limits: limits))
    for _ in 0..<100 { #expect(try ref.reader.pointer(0).data().count == 80) }
    let message = try MessageReader(flat: bytes, limits: limits)
    let kept = try message.root(as: StructReader.self).retained()
    for _ in 0..<100 { #expect(try kept.reader.pointer(0).data().count == 80) }
  }

  @Test func keptMessageThatAmplifiesIsNot() throws {
    // One pass over two pointers to one text is past the limit, as is a loop.
    let limits = ReaderLimits(traversalWords: 20, nestingDepth: 64)
    let amplified = [structure(0, data: 0, pointers: 2), list(1, .byte, 80), list(0, .byte, 80)]
    let loop = [structure(0, data: 0, pointers: 2), structure(-1, data: 0, pointers: 2), 0]
    for words in [amplified, loop] as [[UInt64]] {
      let bytes = frame([words + [UInt64](repeating: 0, count: 10)])
      let ref = try Ref<StructReader>(MessageReader(flat: bytes, limits: limits))
      var reads = 0
      #expect(throws: DecodingError.traversalLimitExceeded) {
        for _ in 0..<100 {
          _ = try ref.reader.pointer(0).totalSize()
          reads += 1
        }
      }
      #expect(reads <= 10)
      #expect(throws: DecodingError.traversalLimitExceeded) {
        for _ in 0..<100 { _ = try ref.reader.pointer(0).totalSize() }
      }
    }
  }

  @Test func landingPadsCount() throws {
    let limits = ReaderLimits(traversalWords: 3, nestingDepth: 64)
    try reading([far(1, 0)], [list(0, .byte, 0)], limits: limits) { (root) throws in
      for _ in 0..<3 { _ = try root.data() }
      let data = root
      #expect(throws: DecodingError.traversalLimitExceeded) { _ = try data.data() }
    }
  }

  @Test func errorsNameTheirLimit() {
    let errors: [any Error] = [
      DecodingError.traversalLimitExceeded, DecodingError.nestingLimitExceeded,
      FramingError.tooLarge(words: 2, limit: 1), FramingError.tooManySegments(count: 2, limit: 1),
    ]
    let limits = [
      "ReaderLimits.traversalWords", "ReaderLimits.nestingDepth", "FrameLimits.words",
      "FrameLimits.segments",
    ]
    for (error, limit) in zip(errors, limits) { #expect("\(error)".contains(limit)) }
  }

  @Test func limitsBelowZeroAdmitNothing() {
    let object = [structure(0, data: 1, pointers: 0), 0] as [UInt64]
    for words in [-1, Int.min, Int.min + 1] {
      let limits = ReaderLimits(traversalWords: words, nestingDepth: 64)
      #expect(
        errorReading(object, limits: limits) { _ = try $0.structure() } == .traversalLimitExceeded)
    }
  }
}
