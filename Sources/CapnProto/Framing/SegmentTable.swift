// Safety. Reads integers, of which every bit pattern is one, where the span's own check finds them
// inside.

/// The head of a frame: how many segments follow and how long they are.
///
/// Encoding specification, "Serialization Over a Stream": a 32-bit segment count less one, a 32-bit
/// size in words for each segment, padding to a word.
struct SegmentTable {
  /// Segments.
  let count: Int
  /// Words in all segments, within the limit.
  private(set) var words: Int
  private let first: Int
  /// Sizes of the segments past the first: mostly there is none, and nothing to allocate.
  private var others: [Int] = []

  /// Words of the segment at the index.
  subscript(index: Int) -> Int { index == 0 ? first : others[index - 1] }

  /// Bytes of the head of a frame with so many segments.
  static func bytes(segments: Int) -> Int { (segments / 2 + 1) * 8 }

  /// Bytes that it takes to read the table at the start of the bytes, as far as these tell.
  static func bytesNeeded(_ head: RawSpan) -> Int {
    head.byteCount < 4 ? bytes(segments: 1) : bytes(segments: Int(number(head, 0)) + 1)
  }

  /// Bytes of the head.
  var bytes: Int { Self.bytes(segments: count) }
  /// Bytes of the frame.
  var frameBytes: Int { bytes + words * 8 }

  /// The table at the start of the bytes, or nil where more bytes are needed to tell.
  init?(_ head: RawSpan, limits: FrameLimits) throws(FramingError) {
    guard head.byteCount >= 4 else { return nil }
    // One more than 32 bits hold still fits an Int.
    count = Int(Self.number(head, 0)) + 1
    guard count <= limits.segments else {
      throw FramingError.tooManySegments(count: count, limit: limits.segments)
        .unlessText(head, at: 0)
    }
    guard head.byteCount >= Self.bytes(segments: count) else { return nil }
    first = Int(Self.number(head, 4))
    words = first
    if count > 1 {
      others.reserveCapacity(count - 1)
      for index in 1..<count {
        let size = Int(Self.number(head, 4 + 4 * index))
        others.append(size)
        words += size
      }
    }
    guard words <= limits.words else { throw .tooLarge(words: words, limit: limits.words) }
  }

  /// The table at the start of the bytes, which hold all of the frame.
  init(whole bytes: RawSpan, limits: FrameLimits) throws(FramingError) {
    guard let table = try SegmentTable(bytes, limits: limits) else {
      throw .truncated(bytes: bytes.byteCount, needed: Self.bytesNeeded(bytes))
    }
    guard bytes.byteCount >= table.frameBytes else {
      throw .truncated(bytes: bytes.byteCount, needed: table.frameBytes)
    }
    self = table
  }

  /// A table of one segment.
  init(words: Int) {
    count = 1
    first = words
    self.words = words
  }

  private static func number(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
    UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
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
