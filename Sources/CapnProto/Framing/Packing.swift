// Safety. Reads and writes through pointers for speed. The caller of `pack` gives room for the worst
// case, ten bytes for each word. `unpack` compares both cursors with their ends before it moves
// them: the fast path runs only while more bytes are there than one step can read or write.

// Packing (encoding specification, "Packing"): a tag byte has a bit for each byte of a word that is
// not zero, and those bytes follow. Bytes are moved together and apart for a whole word at once, by
// three shifts under masks that the tag selects: no branch depends on the data of a word.

/// Masks for each tag.
@safe private struct PackingTable {
  /// For each tag: bytes to move by one, two and four places, and bytes that are not zero.
  let masks: UnsafeMutablePointer<UInt64>
  /// For each tag: bytes that are not zero.
  let counts: UnsafeMutablePointer<UInt8>

  static nonisolated(unsafe) let shared = PackingTable()

  /// Kept for good, and not written to again.
  private init() {
    unsafe masks = .allocate(capacity: 4 * 256)
    unsafe counts = .allocate(capacity: 256)
    for tag in 0..<256 {
      var moved = (0, 0, 0, 0) as (UInt64, UInt64, UInt64, UInt64)
      var kept = 0
      for byte in 0..<8 where tag >> byte & 1 == 1 {
        moved.3 |= Self.mask(byte)
        // The byte moves down by the bits of this distance, lowest first.
        let distance = byte - kept
        if distance & 1 != 0 { moved.0 |= Self.mask(byte) }
        if distance & 2 != 0 { moved.1 |= Self.mask(byte - (distance & 1)) }
        if distance & 4 != 0 { moved.2 |= Self.mask(byte - (distance & 3)) }
        kept += 1
      }
      unsafe masks[4 * tag] = moved.0
      unsafe masks[4 * tag + 1] = moved.1
      unsafe masks[4 * tag + 2] = moved.2
      unsafe masks[4 * tag + 3] = moved.3
      unsafe counts[tag] = UInt8(kept)
    }
  }

  private static func mask(_ byte: Int) -> UInt64 { 0xff << UInt64(8 * byte) }

  /// The bytes of the word that are not zero, side by side from the lowest.
  @inline(__always)
  static func compress(_ word: UInt64, _ masks: UnsafeMutablePointer<UInt64>) -> UInt64 {
    var word = word
    var moved = unsafe word & masks[0]
    word = word ^ moved | moved >> 8
    moved = unsafe word & masks[1]
    word = word ^ moved | moved >> 16
    moved = unsafe word & masks[2]
    return word ^ moved | moved >> 32
  }

  /// The lowest bytes of the word at the places that the tag has.
  @inline(__always)
  static func expand(_ word: UInt64, _ masks: UnsafeMutablePointer<UInt64>) -> UInt64 {
    var word = word
    word = unsafe (word ^ word << 32) & masks[2] ^ word
    word = unsafe (word ^ word << 16) & masks[1] ^ word
    word = unsafe (word ^ word << 8) & masks[0] ^ word
    return unsafe word & masks[3]
  }
}

/// The highest bit of each byte that is zero.
@inline(__always)
private func zeros(_ word: UInt64) -> UInt64 {
  let low = 0x7f7f_7f7f_7f7f_7f7f as UInt64
  return ~((word & low) &+ low | word | low)
}

/// The tag of a word.
@inline(__always)
private func tag(_ word: UInt64) -> UInt64 {
  let nonzero = zeros(word) ^ 0x8080_8080_8080_8080
  return (nonzero >> 7 &* 0x0102_0408_1020_4080) >> 56
}

@inline(__always)
private func word(_ place: UnsafeRawPointer) -> UInt64 {
  UInt64(littleEndian: unsafe place.loadUnaligned(as: UInt64.self))
}

/// Most bytes that a word takes when it is packed: its tag, itself, and the length of a run.
let mostPackedBytes = 10

/// Packs the words; room for ten bytes for each is the caller's to give.
///
/// - Returns: bytes written.
func pack(_ words: UnsafeRawBufferPointer, to destination: UnsafeMutableRawPointer) -> Int {
  guard var source = words.baseAddress else { return 0 }
  let (masks, counts) = unsafe (PackingTable.shared.masks, PackingTable.shared.counts)
  let end = unsafe source + words.count / 8 * 8
  var target = unsafe destination
  while unsafe source < end {
    let bytes = unsafe word(source)
    unsafe source += 8
    let tag = tag(bytes)
    unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: tag), as: UInt8.self)
    let compressed = unsafe PackingTable.compress(bytes, masks + Int(tag &* 4))
    unsafe (target + 1).storeBytes(of: compressed.littleEndian, as: UInt64.self)
    unsafe target += 1 &+ Int(counts[Int(tag)])
    guard tag == 0 || tag == 0xff else { continue }
    let limit = unsafe min(255, (end - source) >> 3)
    var run = 0
    if tag == 0 {
      while run < limit, unsafe word(source + run &* 8) == 0 { run &+= 1 }
    } else {
      // Words with two zero bytes or more are smaller when they are packed.
      while run < limit, unsafe isDense(word(source + run &* 8)) { run &+= 1 }
      unsafe (target + 1).copyMemory(from: source, byteCount: run &* 8)
    }
    unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: run), as: UInt8.self)
    unsafe target += 1 &+ (tag == 0 ? 0 : run &* 8)
    unsafe source += run &* 8
  }
  return unsafe target - destination
}

/// Whether at most one byte of the word is zero.
@inline(__always)
private func isDense(_ word: UInt64) -> Bool {
  let zeros = zeros(word)
  return zeros & (zeros &- 1) == 0
}

/// Unpacks a stream of bytes, whatever chunks they arrive in.
@safe struct Unpacker {
  private enum Stage {
    /// A tag comes next.
    case tag
    /// A word's bytes come next, from the bit of its tag on.
    case bytes(tag: UInt8, bit: UInt8, word: UInt64)
    /// The length of a run comes next.
    case run(isLiteral: Bool)
  }
  private var stage = Stage.tag
  /// Bytes of a run that are still to come: zeros, or as they are in the input.
  private var zeros = 0
  private var literal = 0

  /// Whether all that was begun is done: a word, with the run that its tag announces.
  var isBetweenWords: Bool { if case .tag = stage { zeros + literal == 0 } else { false } }
  /// Bytes of a run that are still to come.
  var runBytes: Int { zeros + literal }

  /// Unpacks as much as the input has and the output has room for.
  ///
  /// - Parameters:
  ///   - input: packed bytes.
  ///   - offset: where in the input to go on; moved past what was read.
  ///   - output: whole words.
  ///   - filled: bytes of the output that are there; moved on.
  mutating func unpack(
    _ input: UnsafeRawBufferPointer, _ offset: inout Int,
    into output: UnsafeMutableRawBufferPointer, _ filled: inout Int
  ) {
    while true {
      if zeros > 0 {
        let count = min(zeros, output.count - filled)
        unsafe UnsafeMutableRawBufferPointer(rebasing: output[filled..<filled + count])
          .initializeMemory(as: UInt8.self, repeating: 0)
        zeros -= count
        filled += count
        if zeros > 0 { return }
      }
      if literal > 0 {
        let count = min(literal, input.count - offset, output.count - filled)
        unsafe UnsafeMutableRawBufferPointer(rebasing: output[filled...])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[offset..<offset + count]))
        literal -= count
        filled += count
        offset += count
        if literal > 0 { return }
      }
      switch stage {
      case .tag:
        unsafe unpackWords(input, &offset, into: output, &filled)
        if runBytes > 0 { continue }
        guard filled < output.count, offset < input.count else { return }
        stage = .bytes(tag: unsafe input[offset], bit: 0, word: 0)
        offset += 1
      case .bytes(let tag, var bit, var word):
        while bit < 8 {
          if tag >> bit & 1 == 1 {
            guard offset < input.count else {
              stage = .bytes(tag: tag, bit: bit, word: word)
              return
            }
            word |= unsafe UInt64(input[offset]) << UInt64(8 * bit)
            offset += 1
          }
          bit += 1
        }
        unsafe output.storeBytes(of: word.littleEndian, toByteOffset: filled, as: UInt64.self)
        filled += 8
        stage = tag == 0 || tag == 0xff ? .run(isLiteral: tag == 0xff) : .tag
      case .run(let isLiteral):
        guard offset < input.count else { return }
        let bytes = unsafe Int(input[offset]) * 8
        if isLiteral { literal = bytes } else { zeros = bytes }
        offset += 1
        stage = .tag
      }
    }
  }

  /// Unpacks words while the input has all that one can take, and the output room for one.
  @inline(__always)
  private mutating func unpackWords(
    _ input: UnsafeRawBufferPointer, _ offset: inout Int,
    into output: UnsafeMutableRawBufferPointer, _ filled: inout Int
  ) {
    guard let inputStart = input.baseAddress, let outputStart = output.baseAddress
    else { return }
    let (masks, counts) = unsafe (PackingTable.shared.masks, PackingTable.shared.counts)
    // Offsets, as a pointer before its buffer's start would not be one.
    let lastInput = input.count - mostPackedBytes
    let lastOutput = output.count - 8
    var (from, to) = (offset, filled)
    defer { (offset, filled) = (from, to) }
    while from <= lastInput, to <= lastOutput {
      let tag = unsafe Int((inputStart + from).load(as: UInt8.self))
      let bytes = unsafe word(inputStart + (from &+ 1))
      unsafe (outputStart + to).storeBytes(
        of: PackingTable.expand(bytes, masks + tag &* 4).littleEndian, as: UInt64.self)
      to &+= 8
      from &+= 1 &+ Int(unsafe counts[tag])
      guard tag == 0 || tag == 0xff else { continue }
      let run = unsafe Int((inputStart + from).load(as: UInt8.self)) &* 8
      from &+= 1
      if tag == 0 {
        guard run <= output.count &- to else {
          zeros = run
          return
        }
        unsafe (outputStart + to).initializeMemory(as: UInt8.self, repeating: 0, count: run)
      } else {
        guard run <= output.count &- to, run <= input.count &- from else {
          literal = run
          return
        }
        unsafe (outputStart + to).copyMemory(from: inputStart + from, byteCount: run)
        from &+= run
      }
      to &+= run
    }
  }
}
