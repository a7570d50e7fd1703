import CapnProto
import Foundation
import Testing

@Suite struct FramingTests {
  @Test func segmentsAreReadInPlace() throws {
    let message = tinyMessage()
    fill(message.initRoot(as: Sample.Builder.self))
    var segments: [[UInt8]] = []
    message.segments { bytes in
      segments.append((0..<bytes.byteCount).map { bytes.byte($0) })
    }
    #expect(segments.count > 3)
    let ref = try MessageReader.read(segments: segments) { message in
      try expectFilled(message.root(as: Sample.Reader.self))
      return try message.root(as: Sample.Reader.self).retained()
    }
    segments = []
    try expectFilled(ref.reader)
    #expect(throws: DecodingError.missingRoot) {
      try MessageReader.read(segments: []) { _ = try $0.root }
    }
    #expect(throws: DecodingError.missingRoot) {
      try MessageReader.read(segments: [[], [0, 0, 0, 0, 0, 0, 0, 0]]) { _ = try $0.root }
    }
  }

  @Test func segmentsThatAreNoneAreErrors() {
    #expect(throws: FramingError.truncated(bytes: 9, needed: 16)) {
      try MessageReader.read(segments: [[UInt8](repeating: 0, count: 9)]) { _ in }
    }
    let limits = FrameLimits(words: 1, segments: 2)
    #expect(throws: FramingError.tooManySegments(count: 3, limit: 2)) {
      try MessageReader.read(segments: [[], [], []], frameLimits: limits) { _ in }
    }
    #expect(throws: FramingError.tooLarge(words: 2, limit: 1)) {
      try MessageReader.read(
        segments: [[UInt8](repeating: 0, count: 16)], frameLimits: limits
      ) { _ in }
    }
  }

  @Test(arguments: ["hello, world", "{\"name\": 1}", "(name = \"x\")", "GET / HTTP/1.1\r\n"])
  func textIsNotTakenForAMessage(text: String) {
    let bytes = Array(text.utf8)
    let expected = FramingError.text(start: String(text.prefix(16)))
    #expect(throws: expected) { _ = try MessageReader(flat: bytes) }
    #expect(throws: expected) { _ = try MessageReader(packed: bytes) }
    // The head of a stream is read word by word.
    #expect(throws: FramingError.text(start: String(text.prefix(8)))) {
      var decoder = FrameDecoder()
      var offset = 0
      _ = try unsafe decoder.next(bytes.span.bytes, &offset)
    }
    #expect("\(expected)".contains("do not look like a message"))
    #expect("\(expected)".contains("capnp-swift convert"))
  }

  @Test func fileIsReadInPlace() throws {
    let message = tinyMessage()
    fill(message.initRoot(as: Sample.Builder.self))
    let bytes = message.flattened()
    let ref = try Tool.inDirectory { directory in
      let path = directory.appending(path: "messages").path
      try Data(bytes + bytes + bytes[..<20]).write(to: URL(filePath: path))
      let file = try MappedFile(path: path)
      var offset = 0
      let message = try file.message(at: &offset)
      try expectFilled(message.root(as: Sample.Reader.self))
      #expect(offset == bytes.count)
      let ref = try Ref<Sample.Reader>(file.message(at: &offset))
      #expect(offset == 2 * bytes.count)
      #expect(throws: FramingError.self) { _ = try file.message(at: &offset) }
      offset = .max
      #expect(throws: FramingError.truncated(bytes: 0, needed: 8)) {
        _ = try file.message(at: &offset)
      }
      try Data().write(to: URL(filePath: path + ".empty"))
      #expect(throws: FramingError.truncated(bytes: 0, needed: 8)) {
        _ = try MappedFile(path: path + ".empty").message()
      }
      let error = #expect(throws: MappedFileError.self) { _ = try MappedFile(path: path + ".none") }
      #expect(error?.description.contains("No such file") == true)
      return ref
    }
    // The mapping outlives the file's name and its object.
    try expectFilled(ref.reader)
  }

  @Test func fileIsReadAtAnyOffset() throws {
    let message = tinyMessage()
    fill(message.initRoot(as: Sample.Builder.self))
    let bytes = message.flattened()
    for padding in 0..<8 {
      try Tool.inDirectory { directory in
        let path = directory.appending(path: "messages").path
        try Data([UInt8](repeating: 0xff, count: padding) + bytes).write(to: URL(filePath: path))
        var offset = padding
        let message = try MappedFile(path: path).message(at: &offset)
        #expect(offset == padding + bytes.count)
        try expectFilled(message.root(as: Sample.Reader.self))
        #expect(try message.root.canonicalized().isEmpty == false)
        #expect(try MessageReader(packed: message.packed()).flattened() == bytes)
        #expect(message.flattened() == bytes)
        let copy = MessageBuilder()
        try copy.root.set(try message.root)
        #expect(try message.root.equality(to: copy.root.reader) == .equal)
      }
    }
  }

  @Test func fileHasNothingBeforeItsStart() throws {
    let bytes = MessageBuilder().flattened()
    try Tool.inDirectory { directory in
      let path = directory.appending(path: "messages").path
      try Data(bytes).write(to: URL(filePath: path))
      for before in [-1, -24, .min] {
        var offset = before
        _ = try MappedFile(path: path).message(at: &offset)
        #expect(offset == bytes.count)
      }
    }
  }

  /// Three messages: of one segment, of many, and of one without a word.
  static func messages() -> [[UInt8]] {
    let one = MessageBuilder(firstSegmentWords: 1000)
    fill(one.initRoot(as: Sample.Builder.self))
    let many = tinyMessage()
    fill(many.initRoot(as: Sample.Builder.self))
    return [one.flattened(), many.flattened(), frame([[]])]
  }

  /// The head of a frame of so many segments, and their sizes.
  static func head(count: UInt32, sizes: [UInt32] = []) -> [UInt8] {
    ([count] + sizes).flatMap { number in
      (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
  }

  /// What reading the bytes throws in one shot, in place, and from a stream in chunks of each size.
  static func errors(_ bytes: [UInt8], _ limits: FrameLimits = .standard) -> [FramingError?] {
    var errors: [FramingError?] = []
    func record(_ body: () throws -> Void) {
      do {
        try body()
        errors.append(nil)
      } catch {
        errors.append(error as? FramingError)
      }
    }
    record { _ = try MessageReader(flat: bytes, frameLimits: limits) }
    record { try MessageReader.read(flat: bytes.rawSpan, frameLimits: limits) { _ in } }
    for size in [1, 3, 8, 1000] {
      record { _ = try decode(bytes, chunk: size, limits) }
    }
    return errors
  }

  /// The frames that a stream of the bytes has, and whether it ends between messages.
  static func decode(
    _ bytes: [UInt8], chunk: Int, _ limits: FrameLimits = .standard
  ) throws(FramingError) -> (frames: [[UInt8]], ended: Bool) {
    var decoder = FrameDecoder(frameLimits: limits)
    var frames: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
      let part = Array(bytes[start..<min(start + chunk, bytes.count)])
      var offset = 0
      while let message = try decoder.next(part.rawSpan, &offset) {
        frames.append(message.flattened())
      }
      start += part.count
    }
    return (frames, decoder.isBetweenMessages)
  }

  @Test func oneShotAndInPlace() throws {
    for bytes in Self.messages().prefix(2) {
      let message = try MessageReader(flat: bytes)
      try expectFilled(message.root())
      #expect(message.flattened() == bytes)
      try MessageReader.read(flat: bytes.rawSpan) { try expectFilled($0.root()) }
      // At an odd address.
      let shifted = [0] + bytes
      try MessageReader.read(flat: shifted.rawSpan.extracting(1...)) {
        try expectFilled($0.root())
      }
      // What follows the frame is not of it.
      #expect(try MessageReader(flat: bytes + [1, 2, 3]).flattened() == bytes)
    }
  }

  @Test func everyTruncation() throws {
    for bytes in Self.messages() {
      for count in 0..<bytes.count {
        let part = Array(bytes[..<count])
        do {
          _ = try MessageReader(flat: part)
          Issue.record("\(count) of \(bytes.count) bytes are no message")
        } catch {
          guard case .truncated(let there, let needed) = error else {
            Issue.record("\(error)")
            continue
          }
          #expect(there == count && needed > count && needed <= bytes.count)
        }
        #expect(throws: FramingError.self) {
          try MessageReader.read(flat: part.rawSpan) { _ in }
        }
        let decoded = try Self.decode(part, chunk: .max / 2)
        #expect(decoded.frames.isEmpty == true)
        #expect(decoded.ended == (count == 0))
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 64, 1000, 100_000])
  func everyChunking(size: Int) throws {
    let messages = Self.messages()
    let decoded = try Self.decode(messages.flatMap { $0 } + messages[1], chunk: size)
    #expect(decoded.frames == messages + [messages[1]])
    #expect(decoded.ended)
  }

  @Test func chunksOfAllSizesInTurn() throws {
    let stream = (0..<5).flatMap { _ in Self.messages() }.flatMap { $0 }
    var decoder = FrameDecoder()
    var start = 0
    var size = 0
    var count = 0
    while start < stream.count {
      let part = Array(stream[start..<min(start + size, stream.count)])
      var offset = 0
      while try decoder.next(part.rawSpan, &offset) != nil { count += 1 }
      #expect(offset == part.count)
      start += part.count
      size = (size + 1) % 37
    }
    #expect(count == 15)
    #expect(decoder.isBetweenMessages == true)
  }

  // Part of each message comes in a chunk, and the rest is written by its source, so much at a time.
  @Test(arguments: [1, 7, 8, 100, .max])
  func `what a source writes into a message arrives as what comes in chunks`(_ size: Int) throws {
    for frame in Self.messages() {
      for length in 0..<frame.count {
        var decoder = FrameDecoder()
        var offset = 0
        let isOpen = try decoder.next(Array(frame[..<length]).rawSpan, &offset) == nil
        #expect(isOpen)
        let hasHead = decoder.missingBytes > 0
        #expect(!hasHead || decoder.missingBytes == frame.count - length)
        var start = length
        var found: [UInt8]?
        while hasHead, found == nil, start < frame.count {
          let message = decoder.read { output in
            for byte in frame[start...].prefix(min(size, output.freeCapacity)) {
              output.append(byte)
              start += 1
            }
          }
          if let message { found = message.flattened() }
        }
        #expect(found == (hasHead ? frame : nil))
        #expect(decoder.missingBytes == 0)
        #expect(!hasHead || decoder.isBetweenMessages == true)
      }
    }
  }

  @Test func aSourceThatHasNothingChangesNothing() throws {
    let frame = Self.messages()[1]
    var decoder = FrameDecoder()
    var isNone = decoder.read { _ in Issue.record("there is no message") } == nil
    #expect(isNone)
    var offset = 0
    _ = try decoder.next(Array(frame.dropLast(8)).rawSpan, &offset)
    isNone = decoder.read { _ in } == nil
    #expect(isNone)
    #expect(decoder.missingBytes == 8)
    offset = 0
    let found = try decoder.next(Array(frame.suffix(8)).rawSpan, &offset)?.flattened()
    #expect(found == frame)
  }

  @Test func decoderSaysWhetherItIsBetweenMessages() throws {
    let bytes = Self.messages()[1]
    var decoder = FrameDecoder()
    #expect(decoder.isBetweenMessages == true)
    for (index, byte) in bytes.enumerated() {
      var offset = 0
      let chunk = [byte]
      let message = try decoder.next(chunk.rawSpan, &offset)
      let isLast = index == bytes.count - 1
      #expect((message != nil) == isLast)
      #expect(decoder.isBetweenMessages == isLast)
    }
  }

  @Test func moreSegmentsThanAllowed() {
    let expected = FramingError.tooManySegments(count: 1 << 32, limit: 512)
    #expect(Self.errors(Self.head(count: .max)).allSatisfy { $0 == expected })
    #expect(Self.errors(Self.head(count: .max, sizes: [0])).allSatisfy { $0 == expected })
    let over = FramingError.tooManySegments(count: 513, limit: 512)
    #expect(Self.errors(Self.head(count: 512, sizes: [1])).allSatisfy { $0 == over })
    let most = Self.head(count: 511, sizes: [1] + [UInt32](repeating: 0, count: 512))
    #expect(Self.errors(most + [UInt8](repeating: 0, count: 8)).allSatisfy { $0 == nil })
    #expect(
      over.description.contains("513") && over.description.contains("512"),
      "an error names the limit and the size")
  }

  @Test func moreWordsThanAllowed() {
    let limit = FrameLimits.standard.words
    func expect(_ sizes: [UInt32], _ words: Int) {
      let padding = sizes.count % 2 == 0 ? [0 as UInt32] : []
      let head = Self.head(count: UInt32(sizes.count - 1), sizes: sizes + padding)
      let errors = Self.errors(head)
      #expect(errors.allSatisfy { $0 == .tooLarge(words: words, limit: limit) }, "\(errors)")
    }
    expect([.max], Int(UInt32.max))
    expect([UInt32(limit) + 1], limit + 1)
    expect([UInt32(limit), 1], limit + 1)
    // Sums past 32 bits, and past what a signed 32-bit number holds.
    expect([.max, 2, 0], Int(UInt32.max) + 2)
    expect([1 << 31, 1 << 31], 1 << 32)
    expect([UInt32](repeating: .max, count: 512), 512 * Int(UInt32.max))
    let error = FramingError.tooLarge(words: limit + 1, limit: limit)
    #expect(error.description.contains("\(limit)") && error.description.contains("\(limit + 1)"))
  }

  @Test func limitsOfTheCallersChoice() {
    let bytes = frame([[0, 0, 0], [0]])
    #expect(
      Self.errors(bytes, FrameLimits(words: 4, segments: 2)).allSatisfy { $0 == nil })
    #expect(
      Self.errors(bytes, FrameLimits(words: 3, segments: 2)).allSatisfy {
        $0 == .tooLarge(words: 4, limit: 3)
      })
    #expect(
      Self.errors(bytes, FrameLimits(words: 4, segments: 1)).allSatisfy {
        $0 == .tooManySegments(count: 2, limit: 1)
      })
    #expect(
      Self.errors(bytes, FrameLimits(words: -1, segments: -1)).allSatisfy {
        $0 == .tooManySegments(count: 2, limit: -1)
      })
  }

  @Test func streamCannotBeReadOnAfterAnError() throws {
    var decoder = FrameDecoder()
    let bad = Self.head(count: .max, sizes: [0])
    let good = Self.messages()[0]
    for bytes in [bad, good, good] {
      var offset = 0
      var failed = false
      do { _ = try decoder.next(bytes.rawSpan, &offset) } catch { failed = true }
      #expect(failed)
      #expect(decoder.isBetweenMessages == false)
    }
  }

  @Test func builderWritesTheSameFrameInPieces() throws {
    let message = tinyMessage()
    fill(message.initRoot(as: Sample.Builder.self))
    var bytes = message.frameHead
    var count = 0
    message.segments { segment in
      count += segment.byteCount / 8
      for index in 0..<segment.byteCount { bytes.append(segment.byte(index)) }
    }
    #expect(bytes == message.flattened())
    #expect(count == message.words)
  }
}
