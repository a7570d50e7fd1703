// Safety. Reads one byte of a span at an offset that the span's own bounds check has passed.

/// The head of a frame: how many segments follow and how long they are.
///
/// Encoding specification, "Serialization Over a Stream": a 32-bit segment count less one, a 32-bit
/// size in words for each segment, padding to a word.
struct SegmentTable {
  /// Words of each segment.
  private(set) var sizes: [Int]
  /// Words in all segments, within the limit.
  private(set) var words: Int

  /// Bytes of the head of a frame with so many segments.
  static func bytes(segments: Int) -> Int { (segments / 2 + 1) * 8 }

  /// Bytes that it takes to read the table at the start of the bytes, as far as these tell.
  static func bytesNeeded(_ head: RawSpan) -> Int {
    head.byteCount < 4 ? bytes(segments: 1) : bytes(segments: Int(number(head, 0)) + 1)
  }

  /// Bytes of the head.
  var bytes: Int { Self.bytes(segments: sizes.count) }

  /// The table at the start of the bytes, or nil where more bytes are needed to tell.
  init?(_ head: RawSpan, limits: FrameLimits) throws(FramingError) {
    guard head.byteCount >= 4 else { return nil }
    // One more than 32 bits hold still fits an Int.
    let count = Int(Self.number(head, 0)) + 1
    guard count <= limits.segments else {
      throw .tooManySegments(count: count, limit: limits.segments)
    }
    guard head.byteCount >= Self.bytes(segments: count) else { return nil }
    sizes = []
    sizes.reserveCapacity(count)
    words = 0
    for index in 0..<count {
      let size = Int(Self.number(head, 4 + 4 * index))
      sizes.append(size)
      words += size
    }
    guard words <= limits.words else { throw .tooLarge(words: words, limit: limits.words) }
  }

  private static func number(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
    var number: UInt32 = 0
    for index in 0..<4 {
      number |= UInt32(bytes.byte(offset + index)) << UInt32(8 * index)
    }
    return number
  }

  /// The head of a frame of segments of these sizes in words.
  static func encode(_ sizes: [Int]) -> [UInt8] {
    var head: [UInt8] = []
    head.reserveCapacity(bytes(segments: sizes.count))
    func append(_ number: Int) {
      for shift in stride(from: 0, to: 32, by: 8) {
        head.append(UInt8(truncatingIfNeeded: number >> shift))
      }
    }
    append(sizes.count - 1)
    for size in sizes { append(size) }
    if sizes.count % 2 == 0 { append(0) }
    return head
  }
}

extension RawSpan {
  /// The byte at an offset, which is checked.
  fileprivate func byte(_ offset: Int) -> UInt8 {
    unsafe extracting(offset..<offset + 1).withUnsafeBytes { unsafe $0[0] }
  }
}
