// Safety. Follows pointers of a message that nobody vouches for. Each place is computed as a word
// index in `Int`, which a 30-bit offset and a 29-bit count cannot overflow, is compared with the
// segment's bounds, and only then becomes an address. Loads are unaligned ones, as the words may be
// borrowed from a buffer of any alignment. Values of these types stay inside the module; see
// Segment.swift for why the addresses in them are alive.

/// A pointer of a message and the place that holds it.
@safe @usableFromInline
@frozen struct RawPointer: BitwiseCopyable {
  @usableFromInline let segment: SegmentPointer
  @usableFromInline let place: UnsafeMutableRawPointer
  /// What the place held when it was looked at. Not loaded anew, so that the compiler sees where a
  /// pointer is null because its struct has none.
  @usableFromInline let word: WirePointer
  /// Levels that may still be followed.
  @usableFromInline let nesting: UInt16

  @inlinable @inline(__always)
  init(segment: SegmentPointer, place: UnsafeMutableRawPointer, nesting: UInt16) {
    unsafe self.segment = segment
    unsafe self.place = place
    word = WirePointer(UInt64(littleEndian: unsafe place.loadUnaligned(as: UInt64.self)))
    self.nesting = nesting
  }

  /// A pointer that is null and lies in no message.
  @inlinable @inline(__always)
  init(nullIn segment: SegmentPointer) {
    unsafe self.segment = segment
    unsafe place = segment.pointee.start
    word = WirePointer(0)
    nesting = 0
  }

  /// The index of the pointer's word in its segment.
  @inlinable var index: Int {
    @inline(__always) get {
      unsafe (Int(bitPattern: place) &- Int(bitPattern: segment.pointee.start)) >> 3
    }
  }
}

/// Where a pointer leads once far pointers are followed: unchecked as yet.
@safe @usableFromInline
@frozen struct RawTarget {
  @usableFromInline let segment: SegmentPointer
  @usableFromInline let word: WirePointer
  /// Index of the first word of the object in its segment; may lie outside.
  @usableFromInline let index: Int

  @inlinable @inline(__always)
  init(segment: SegmentPointer, word: WirePointer, index: Int) {
    unsafe self.segment = segment
    self.word = word
    self.index = index
  }

  /// The object's address, after its words are checked against the segment and counted.
  @inlinable @inline(__always)
  func claim(_ words: Int) throws(DecodingError) -> UnsafeMutableRawPointer {
    guard index >= 0, unsafe index &+ words <= segment.pointee.used else {
      throw .pointerOutOfBounds
    }
    try unsafe segment.pointee.arena.pointee.charge(words)
    return unsafe segment.pointee.start + index &* 8
  }
}

extension RawPointer {
  /// Follows the pointer, which is not null, as far as the object's descriptor.
  @inlinable @inline(__always)
  func target() throws(DecodingError) -> RawTarget {
    if word.kind != 2 {
      return unsafe RawTarget(segment: segment, word: word, index: index &+ 1 &+ word.offset)
    }
    return try farTarget(word)
  }

  /// Encoding specification, "Inter-Segment Pointers".
  @usableFromInline @inline(never)
  func farTarget(_ far: WirePointer) throws(DecodingError) -> RawTarget {
    let padSegment = try unsafe segmentNamed(far.farSegment)
    let padWords = far.isDoubleFar ? 2 : 1
    guard unsafe far.farOffset + padWords <= padSegment.pointee.used else {
      throw .invalidLandingPad
    }
    try unsafe segment.pointee.arena.pointee.charge(padWords)
    let pad = unsafe RawPointer(
      segment: padSegment, place: padSegment.pointee.start + far.farOffset * 8, nesting: nesting)
    let word = pad.word
    guard far.isDoubleFar else {
      guard word.kind != 2 else { throw .invalidLandingPad }
      return unsafe RawTarget(
        segment: padSegment, word: word, index: far.farOffset + 1 + word.offset)
    }
    guard word.kind == 2, !word.isDoubleFar else { throw .invalidLandingPad }
    let tag = unsafe RawPointer(segment: padSegment, place: pad.place + 8, nesting: nesting).word
    // The tag's offset must be zero, and it describes a struct or a list.
    guard tag.kind < 2, tag.offset == 0 else { throw .invalidLandingPad }
    return unsafe RawTarget(
      segment: try segmentNamed(word.farSegment), word: tag, index: word.farOffset)
  }

  @usableFromInline
  func segmentNamed(_ id: UInt32) throws(DecodingError) -> SegmentPointer {
    let arena = unsafe segment.pointee.arena
    guard unsafe Int(id) < arena.pointee.segmentCount else { throw .unknownSegment(id: id) }
    return unsafe arena.pointee.segments[Int(id)]
  }
}

/// A struct whose sections are checked.
@safe @usableFromInline
@frozen struct RawStruct: BitwiseCopyable {
  @usableFromInline let segment: SegmentPointer
  @usableFromInline let data: UnsafeMutableRawPointer
  /// Bits of data; no multiple of 64 where the struct is an element of a list of primitives.
  @usableFromInline let dataBits: UInt32
  @usableFromInline let pointers: UInt16
  @usableFromInline let nesting: UInt16

  @inlinable @inline(__always)
  init(
    segment: SegmentPointer, data: UnsafeMutableRawPointer, dataBits: UInt32, pointers: UInt16,
    nesting: UInt16
  ) {
    unsafe self.segment = segment
    unsafe self.data = data
    self.dataBits = dataBits
    self.pointers = pointers
    self.nesting = nesting
  }

  /// A struct of no size: what a null pointer stands for.
  @inlinable @inline(__always)
  static func empty(_ segment: SegmentPointer) -> RawStruct {
    unsafe RawStruct(
      segment: segment, data: segment.pointee.start, dataBits: 0, pointers: 0, nesting: 0)
  }

  /// The pointer at the index; past the section's end, a null pointer.
  @inlinable @inline(__always)
  func pointer(_ index: Int) -> RawPointer {
    guard index >= 0, index < Int(pointers) else { return unsafe RawPointer(nullIn: segment) }
    return unsafe RawPointer(
      segment: segment, place: data + (Int(dataBits >> 6) &+ index) &* 8, nesting: nesting)
  }

  @inlinable @inline(__always)
  func load<Bits: FixedWidthInteger & BitwiseCopyable>(_ index: Int, as: Bits.Type) -> Bits {
    let size = MemoryLayout<Bits>.size
    // Divided, not multiplied: no index wraps around.
    guard index >= 0, index < Int(dataBits >> 3) / size else { return 0 }
    return Bits(
      littleEndian: unsafe data.loadUnaligned(fromByteOffset: index &* size, as: Bits.self))
  }

  @inlinable @inline(__always)
  func loadBit(_ bit: Int) -> Bool {
    guard bit >= 0, bit < Int(dataBits) else { return false }
    return unsafe data.load(fromByteOffset: bit >> 3, as: UInt8.self) >> UInt8(bit & 7) & 1 != 0
  }
}

/// A list whose elements are checked.
@safe @usableFromInline
@frozen struct RawList: BitwiseCopyable {
  @usableFromInline let segment: SegmentPointer
  @usableFromInline let start: UnsafeMutableRawPointer
  /// The count, of 29 bits, above the size code of three: a list fits four registers.
  @usableFromInline let countAndSize: UInt32
  /// Bits of data in an element.
  @usableFromInline let dataBits: UInt32
  /// Pointers in an element.
  @usableFromInline let pointers: UInt16
  @usableFromInline let nesting: UInt16

  @inlinable @inline(__always)
  init(
    segment: SegmentPointer, start: UnsafeMutableRawPointer, count: Int, size: ElementSize,
    dataBits: UInt32, pointers: UInt16, nesting: UInt16
  ) {
    unsafe self.segment = segment
    unsafe self.start = start
    countAndSize = UInt32(truncatingIfNeeded: count) &<< 3 | UInt32(size.rawValue)
    self.dataBits = dataBits
    self.pointers = pointers
    self.nesting = nesting
  }

  /// A list of structs of the layout.
  @inlinable @inline(__always)
  init(
    segment: SegmentPointer, start: UnsafeMutableRawPointer, count: Int, layout: StructLayout,
    nesting: UInt16
  ) {
    unsafe self.init(
      segment: segment, start: start, count: count, size: .inlineComposite,
      dataBits: UInt32(layout.dataWords) &* 64, pointers: layout.pointers, nesting: nesting)
  }

  /// A list of elements of the size, which are no structs.
  @inlinable @inline(__always)
  init(
    segment: SegmentPointer, start: UnsafeMutableRawPointer, count: Int, size: ElementSize,
    nesting: UInt16
  ) {
    unsafe self.init(
      segment: segment, start: start, count: count, size: size,
      dataBits: UInt32(truncatingIfNeeded: size.dataBits), pointers: size == .pointer ? 1 : 0,
      nesting: nesting)
  }

  @inlinable var count: Int {
    @inline(__always) get { Int(countAndSize &>> 3) }
  }
  @inlinable var size: ElementSize {
    // Three bits have eight values, and so has the enum: the fallback is never taken.
    ElementSize(rawValue: UInt8(truncatingIfNeeded: countAndSize & 7)) ?? .void
  }
  /// Bits from one element to the next.
  @inlinable var step: Int {
    @inline(__always) get { Int(dataBits) &+ Int(pointers) &* 64 }
  }
  @inlinable
  static func empty(_ segment: SegmentPointer) -> RawList {
    unsafe RawList(
      segment: segment, start: segment.pointee.start, count: 0, size: .void, nesting: 0)
  }

  /// The element as a struct; a bit is none, and reads as an empty one. The caller has checked the
  /// index.
  @inlinable @inline(__always)
  func structure(_ index: Int) -> RawStruct {
    unsafe RawStruct(
      segment: segment, data: start + (index &* step) >> 3,
      dataBits: dataBits == 1 ? 0 : dataBits, pointers: pointers, nesting: nesting)
  }

  /// Stops code that asks a list of unknown elements for others than it has. Lists that were
  /// obtained by type hold such elements, whatever the message says.
  @inlinable @inline(__always)
  func check(_ index: Int, bits: Int) {
    precondition(index >= 0 && index < count, "index out of range of a list")
    precondition(bits <= Int(dataBits), "the list has smaller elements")
  }

  @inlinable @inline(__always)
  func load<Bits: FixedWidthInteger & BitwiseCopyable>(_ index: Int, as: Bits.Type) -> Bits {
    check(index, bits: MemoryLayout<Bits>.size &* 8)
    return Bits(
      littleEndian: unsafe start.loadUnaligned(
        fromByteOffset: (index &* step) >> 3, as: Bits.self))
  }

  @inlinable @inline(__always)
  func loadBit(_ index: Int) -> Bool {
    check(index, bits: 1)
    let bit = index &* step
    return unsafe start.load(fromByteOffset: bit >> 3, as: UInt8.self) >> UInt8(bit & 7) & 1 != 0
  }

  /// The element's first pointer: the element itself in a list of pointers, null in one of neither
  /// structs nor pointers. The caller has checked the index.
  @inlinable @inline(__always)
  func pointer(_ index: Int) -> RawPointer { structure(index).pointer(0) }
}

extension RawTarget {
  /// The struct, read from a pointer that may follow so many levels.
  @inlinable @inline(__always)
  func structure(nesting: UInt16) throws(DecodingError) -> RawStruct {
    guard word.kind == 0 else {
      throw word.unexpected(.structure)
    }
    guard nesting > 0 else { throw .nestingLimitExceeded }
    let layout = word.layout
    return unsafe RawStruct(
      segment: segment, data: try claim(layout.words),
      dataBits: UInt32(layout.dataWords) &* 64, pointers: layout.pointers, nesting: nesting &- 1)
  }

  /// The list, whatever its elements are, read from a pointer that may follow so many levels.
  @usableFromInline
  func list(nesting: UInt16) throws(DecodingError) -> RawList {
    guard word.kind == 1 else {
      throw word.unexpected(.list)
    }
    guard nesting > 0 else { throw .nestingLimitExceeded }
    let size = word.elementSize
    let count = word.listCount
    guard size != .inlineComposite else {
      return try compositeList(nesting: nesting)
    }
    let start = try unsafe claim((count &* size.stepBits &+ 63) >> 6)
    // Elements of no size cost no words in the message, yet reading each one costs time.
    if size == .void { try unsafe segment.pointee.arena.pointee.charge(count) }
    return unsafe RawList(
      segment: segment, start: start, count: count, size: size, nesting: nesting &- 1)
  }

  /// The list of structs, read from a pointer that may follow so many levels, at least one.
  @inlinable @inline(__always)
  func compositeList(nesting: UInt16) throws(DecodingError) -> RawList {
    let words = word.listCount
    let tagPlace = try unsafe claim(words &+ 1)
    let tag = unsafe RawPointer(segment: segment, place: tagPlace, nesting: 0).word
    let count = tag.tagCount
    let layout = tag.layout
    // A count of 30 bits and a layout of 17 cannot overflow the product.
    guard tag.kind == 0, count < 1 << 29, count &* layout.words <= words else {
      throw .invalidListTag
    }
    if layout.words == 0 { try unsafe segment.pointee.arena.pointee.charge(count) }
    return unsafe RawList(
      segment: segment, start: tagPlace + 8, count: count, layout: layout, nesting: nesting &- 1)
  }
}

extension RawTarget {
  /// The bytes of a list that is known to be one of bytes.
  @inlinable @inline(__always)
  func bytes() throws(DecodingError) -> RawBytes {
    let count = word.listCount
    return unsafe RawBytes(segment: segment, start: try claim((count &+ 7) >> 3), count: count)
  }
}

extension RawBytes {
  /// The bytes without the NUL that ends a text.
  @inlinable @inline(__always)
  func text() throws(DecodingError) -> RawBytes {
    guard count > 0, unsafe start.load(fromByteOffset: count &- 1, as: UInt8.self) == 0 else {
      throw .textNotTerminated
    }
    return unsafe RawBytes(segment: segment, start: start, count: count &- 1)
  }
}

/// A text or data: bytes in a message.
@safe @usableFromInline
@frozen struct RawBytes: BitwiseCopyable {
  @usableFromInline let segment: SegmentPointer
  @usableFromInline let start: UnsafeMutableRawPointer
  @usableFromInline let count: Int

  @inlinable @inline(__always)
  init(segment: SegmentPointer, start: UnsafeMutableRawPointer, count: Int) {
    unsafe self.segment = segment
    unsafe self.start = start
    self.count = count
  }

  @inlinable
  static func empty(_ segment: SegmentPointer) -> RawBytes {
    unsafe RawBytes(segment: segment, start: segment.pointee.start, count: 0)
  }
}

// Each kind of pointer is read inline where it leads to what is expected in its own segment, which
// one comparison tells, and out of line where it is null, far or wrong.
extension RawPointer {
  /// Where the pointer leads, which is neither null nor far.
  @inlinable var nearTarget: RawTarget {
    @inline(__always) get {
      unsafe RawTarget(segment: segment, word: word, index: index &+ 1 &+ word.offset)
    }
  }

  @inlinable @inline(__always)
  func structure() throws(DecodingError) -> RawStruct {
    guard word.kind == 0 else { return try distantStructure() }
    if word.isNull { return unsafe .empty(segment) }
    return try nearTarget.structure(nesting: nesting)
  }

  @usableFromInline @inline(never)
  func distantStructure() throws(DecodingError) -> RawStruct {
    try target().structure(nesting: nesting)
  }

  /// The list, whose elements can be read as the expected size.
  @inlinable @inline(__always)
  func list(_ expected: ElementSize) throws(DecodingError) -> RawList {
    guard expected == .inlineComposite, word.isCompositeList, nesting > 0 else {
      return try otherList(expected)
    }
    return try nearTarget.compositeList(nesting: nesting)
  }

  /// Encoding specification, "Lists" and "Protocol Evolution": a list of structs may be read as one
  /// of primitives or pointers and the other way round, but a list of Bool only as such.
  @usableFromInline @inline(never)
  func otherList(_ expected: ElementSize) throws(DecodingError) -> RawList {
    if word.isNull { return unsafe .empty(segment) }
    let list = try target().list(nesting: nesting)
    guard list.fits(expected) else {
      throw .incompatibleList(expected: expected, found: list.size)
    }
    return list
  }

  /// The list, whatever its elements are.
  @usableFromInline
  func anyList() throws(DecodingError) -> RawList {
    if word.isNull { return unsafe .empty(segment) }
    return try target().list(nesting: nesting)
  }
  @inlinable @inline(__always)
  func bytes() throws(DecodingError) -> RawBytes {
    guard word.isByteList else { return try distantBytes() }
    return try nearTarget.bytes()
  }

  @usableFromInline @inline(never)
  func distantBytes() throws(DecodingError) -> RawBytes {
    if word.isNull { return unsafe .empty(segment) }
    let target = try target()
    guard target.word.isByteList else { throw target.word.isNoByteList }
    return try target.bytes()
  }

  /// The text without its NUL.
  @inlinable @inline(__always)
  func text() throws(DecodingError) -> RawBytes {
    guard word.isByteList else { return try distantText() }
    return try nearTarget.bytes().text()
  }

  @usableFromInline @inline(never)
  func distantText() throws(DecodingError) -> RawBytes {
    word.isNull ? unsafe .empty(segment) : try distantBytes().text()
  }

  func capabilityHook() throws(DecodingError) -> (any CapabilityHook)? {
    if word.isNull { return nil }
    guard word.isCapability else {
      throw word.unexpected(.capability)
    }
    let arena = unsafe segment.pointee.arena.pointee.owner.takeUnretainedValue()
    return arena.capability(word.capabilityIndex)
  }
}
