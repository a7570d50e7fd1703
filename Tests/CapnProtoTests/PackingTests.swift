import CapnProto
import Testing

@Suite struct PackingTests {
  /// Words and their packed form, from the encoding specification and around its run lengths.
  static let examples: [(words: [UInt64], packed: [UInt8])] = [
    ([0], [0, 0]),
    ([0, 0], [0, 1]),
    ([0xff], [1, 0xff]),
    // "08 00 00 00 03 00 02 00   19 00 00 00 aa 01 00 00"
    (
      [0x0002_0003_0000_0008, 0x0000_01aa_0000_0019],
      [0x51, 0x08, 0x03, 0x02, 0x31, 0x19, 0xaa, 0x01]
    ),
    (
      [.max, 0x1122_3344_5566_7788, 5],
      [0xff] + [UInt8](repeating: 0xff, count: 8) + [1] + [
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 1, 5,
      ]
    ),
    // A word with one zero byte stays in the run, one with two ends it.
    (
      [.max, 0x0022_3344_5566_7788, 0x0000_3344_5566_7788],
      [0xff] + [UInt8](repeating: 0xff, count: 8) + [1] + [
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0, 0x3f, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33,
      ]
    ),
    ([UInt64](repeating: 0, count: 257), [0, 255, 0, 0]),
    (
      [UInt64](repeating: .max, count: 257),
      [0xff] + [UInt8](repeating: 0xff, count: 8) + [255]
        + [UInt8](repeating: 0xff, count: 255 * 8) + [0xff] + [UInt8](repeating: 0xff, count: 8)
        + [0]
    ),
  ]

  /// A message of one segment of the words, whose frame's head packs to these bytes.
  static func packedFrame(_ words: Int, _ packed: [UInt8]) -> [UInt8] {
    let size = (0..<4).map { UInt8(truncatingIfNeeded: words >> (8 * $0)) }
    var tag: UInt8 = 0
    for (index, byte) in size.enumerated() where byte != 0 { tag |= 0x10 << UInt8(index) }
    return (tag == 0 ? [0, 0] : [tag]) + size.filter { $0 != 0 } + packed
  }

  @Test(arguments: examples.indices) func examplesAreAsSpecified(index: Int) throws {
    let (words, packed) = Self.examples[index]
    let whole = Self.packedFrame(words.count, packed)
    let message = try MessageReader(flat: frame([words]))
    #expect(message.packed() == whole)
    #expect(try MessageReader(packed: whole).flattened() == frame([words]))
  }

  @Test func everyTagIsPackedAndUnpacked() throws {
    var words: [UInt64] = []
    for tag in 0..<256 {
      var word: UInt64 = 0
      for byte in 0..<8 where tag >> byte & 1 == 1 { word |= UInt64(byte * 31 + 1) << (8 * byte) }
      words += [word, 1]
    }
    let message = try MessageReader(flat: frame([words, words]))
    let packed = message.packed()
    #expect(try MessageReader(packed: packed).flattened() == message.flattened())
    // Each word's own bytes and its tag, the lengths of the runs, the head.
    let bytes =
      2
      * words.reduce(0) { sum, word in
        sum + 1 + (0..<8).filter { word >> UInt64(8 * $0) & 0xff != 0 }.count
      }
    #expect(packed.count == bytes + 2 * 2 + 5)
  }

  @Test func whatIsPackedAtRandomIsUnpackedInAnyChunks() throws {
    for seed in 0..<60 as Range<UInt64> {
      var random = Random(seed: seed)
      let words = (0..<Int(random.next() % 700)).map { _ in random.word() }
      let bytes = frame([words, [random.word()]])
      let message = try MessageReader(flat: bytes)
      let packed = message.packed()
      #expect(try MessageReader(packed: packed).flattened() == bytes)
      // Three messages in a row, in chunks of random sizes.
      let stream = packed + packed + packed
      var decoder = PackedFrameDecoder()
      var found = 0
      var start = 0
      while start < stream.count {
        let end = min(stream.count, start + 1 + Int(random.next() % 40))
        var offset = 0
        let chunk = Array(stream[start..<end])
        while let message = try decoder.next(chunk.rawSpan, &offset) {
          #expect(message.flattened() == bytes)
          found += 1
        }
        #expect(offset == chunk.count)
        start = end
      }
      let isBetween = decoder.isBetweenMessages
      #expect(found == 3 && isBetween)
    }
  }

  @Test func piecesUnpackToTheMessage() throws {
    let message = MessageBuilder()
    message.root.setData((0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) })
    var stream: [UInt8] = []
    var pieces = 0
    message.packed { (piece: RawSpan) in
      #expect(piece.byteCount <= 10240)
      for index in 0..<piece.byteCount { stream.append(piece.byte(index)) }
      pieces += 1
    }
    #expect(pieces > 5)
    #expect(try MessageReader(packed: stream).flattened() == message.flattened())
  }

  @Test func truncatedAnywhereIsAnError() throws {
    let message = tinyMessage()
    fill(message.initRoot(as: Sample.Builder.self))
    let packed = message.packed()
    for count in packed.indices {
      let cut = Array(packed[..<count])
      #expect(throws: FramingError.truncated(bytes: count, needed: count + 1)) {
        _ = try MessageReader(packed: cut)
      }
      var decoder = PackedFrameDecoder()
      var offset = 0
      let isIncomplete = try decoder.next(cut.rawSpan, &offset) == nil
      let isBetween = decoder.isBetweenMessages
      #expect(isIncomplete && isBetween == (count == 0) && offset == count)
    }
  }

  @Test func runsThatGoPastTheMessageAreErrors() throws {
    // One word is announced; a run of zeros or of literal words makes it more.
    #expect(throws: FramingError.packedRunTooLong(bytes: 16)) {
      _ = try MessageReader(packed: [0x10, 1, 0, 2])
    }
    let literal = [0xff] + [UInt8](repeating: 1, count: 8) + [3] + [UInt8](repeating: 1, count: 24)
    #expect(throws: FramingError.packedRunTooLong(bytes: 24)) {
      _ = try MessageReader(packed: [0x10, 1] + literal)
    }
    // Byte by byte the same.
    var decoder = PackedFrameDecoder()
    for byte in [0x10, 1] + literal {
      var offset = 0
      do throws(FramingError) { _ = try decoder.next([byte].rawSpan, &offset) } catch {
        #expect(error == .packedRunTooLong(bytes: 24))
        return
      }
    }
    Issue.record("no error")
  }

  @Test func runsMayCrossSegments() throws {
    // As an encoder has it that packs the frame as one: head, segments of one and two words.
    let packed: [UInt8] = [0x11, 1, 1, 0x01, 2, 0, 2]
    let message = try MessageReader(packed: packed)
    #expect(message.flattened() == frame([[0], [0, 0]]))
  }

  @Test func limitsHoldBeforeAnythingIsAllocated() {
    let limits = FrameLimits(words: 100, segments: 2)
    #expect(throws: FramingError.tooLarge(words: 101, limit: 100)) {
      _ = try MessageReader(packed: [0x10, 101], frameLimits: limits)
    }
    #expect(throws: FramingError.tooManySegments(count: 3, limit: 2)) {
      _ = try MessageReader(packed: [0x01, 2, 0, 0], frameLimits: limits)
    }
    #expect(throws: FramingError.tooManySegments(count: 1 << 32, limit: 512)) {
      _ = try MessageReader(packed: [0x0f, 0xff, 0xff, 0xff, 0xff])
    }
  }

  @Test func messageOfNoWords() throws {
    let message = try MessageReader(packed: [0, 0])
    #expect(message.segmentCount == 1)
    #expect(message.packed() == [0, 0])
  }

  @Test func unpackedGarbageIsAnErrorOrAMessage() {
    for seed in 0..<2000 as Range<UInt64> {
      var random = Random(seed: seed)
      var bytes = [UInt8](repeating: 0, count: Int(random.next() % 64))
      for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: random.word() >> 8) }
      let limits = FrameLimits(words: 4096, segments: 8)
      if let message = try? MessageReader(
        packed: [0x10, UInt8(seed % 8)] + bytes, frameLimits: limits)
      {
        #expect(message.segmentCount == 1)
      }
    }
  }

  @Test(arguments: [1, 4, 1000]) func toolAgrees(firstSegmentWords: Int) throws {
    let message = OracleTests.message(firstSegmentWords: firstSegmentWords)
    let flat = message.flattened()
    // The tool lays the objects out anew.
    let laidOut = try OracleTests.capnp("convert", ["binary:binary"], input: flat).output
    let theirs = try OracleTests.capnp("convert", ["binary:packed"], input: flat).output
    #expect(try MessageReader(flat: laidOut).packed() == theirs)
    #expect(try MessageReader(packed: theirs).flattened() == laidOut)
    let ours = message.packed()
    #expect(try OracleTests.capnp("convert", ["packed:binary"], input: ours).output == laidOut)
  }
}

/// Numbers that are the same for the same seed.
struct Random: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 0x2545_f491_4f6c_dd1d }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  /// A word of a kind that packing cares for: zero, sparse or dense.
  mutating func word() -> UInt64 {
    switch next() % 5 {
    case 0, 1: 0
    case 2: next() & next() & next() & 0xff00_00ff_0000_00ff
    case 3: next() & 0xff_ffff_00ff_ffff
    default: next() | 0x0101_0101_0101_0101
    }
  }
}
