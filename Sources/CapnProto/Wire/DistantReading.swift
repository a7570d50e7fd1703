// Safety. Follows pointers of a message that nobody vouches for, wherever they lead. Each place is
// computed as a word index in `Int`, which a 30-bit offset and a 29-bit count cannot overflow, is
// compared with the segment's bounds, and only then becomes an address.

/// Where a pointer leads once far pointers are followed: unchecked as yet.
@safe @usableFromInline
@frozen struct RawTarget {
  @usableFromInline let segment: SegmentPointer
  @usableFromInline let word: WirePointer
  /// Index of the first word of the object in its segment; may lie outside.
  @usableFromInline let index: Int

  init(segment: SegmentPointer, word: WirePointer, index: Int) {
    unsafe self.segment = segment
    self.word = word
    self.index = index
  }

  /// The object's address, after its words are checked against the segment and counted.
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
  func target() throws(DecodingError) -> RawTarget {
    if word.kind != 2 {
      return unsafe RawTarget(segment: segment, word: word, index: index &+ 1 &+ word.offset)
    }
    return try farTarget(word)
  }

  /// Encoding specification, "Inter-Segment Pointers".
  private func farTarget(_ far: WirePointer) throws(DecodingError) -> RawTarget {
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

  func segmentNamed(_ id: UInt32) throws(DecodingError) -> SegmentPointer {
    let arena = unsafe segment.pointee.arena
    guard unsafe Int(id) < arena.pointee.segmentCount else { throw .unknownSegment(id: id) }
    return unsafe arena.pointee.segments[Int(id)]
  }
}

extension RawTarget {
  /// The struct, read from a pointer that may follow so many levels.
  func structure(nesting: UInt16) throws(DecodingError) -> RawStruct {
    guard word.kind == 0 else {
      throw word.unexpected(.structure)
    }
    guard nesting > 0 else { throw .nestingLimitExceeded }
    let layout = word.layout
    return unsafe RawStruct(
      segment: segment, data: try claim(layout.words), word: word, nesting: Int(nesting) &- 1)
  }

  /// The list, whatever its elements are, read from a pointer that may follow so many levels.
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
  private func compositeList(nesting: UInt16) throws(DecodingError) -> RawList {
    let words = word.listCount
    let tagPlace = try unsafe claim(words &+ 1)
    let tag = unsafe RawPointer(segment: segment, place: tagPlace, nesting: 0).word
    let count = tag.tagCount
    let layout = tag.layout
    // A count of 29 bits and a layout of 17 cannot overflow the product.
    guard tag.isTag, count &* layout.words <= words else { throw .invalidListTag }
    if layout.words == 0 { try unsafe segment.pointee.arena.pointee.charge(count) }
    return unsafe RawList(
      segment: segment, start: tagPlace + 8, count: count, layout: layout, nesting: nesting &- 1)
  }
}

extension RawTarget {
  /// The bytes of a list that is known to be one of bytes.
  func bytes() throws(DecodingError) -> RawBytes {
    let count = word.listCount
    return unsafe RawBytes(segment: segment, start: try claim((count &+ 7) >> 3), count: count)
  }
}

extension RawBytes {
  /// The bytes without the NUL that ends a text.
  func text() throws(DecodingError) -> RawBytes {
    guard count > 0, unsafe start.load(fromByteOffset: count &- 1, as: UInt8.self) == 0 else {
      throw .textNotTerminated
    }
    return unsafe RawBytes(segment: segment, start: start, count: count &- 1)
  }
}

extension RawPointer {
  @usableFromInline @inline(never)
  func distantStructure() throws(DecodingError) -> RawStruct {
    if word.isNull { return unsafe .empty(segment) }
    return try target().structure(nesting: nesting)
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

  @usableFromInline @inline(never)
  func distantBytes() throws(DecodingError) -> RawBytes {
    if word.isNull { return unsafe .empty(segment) }
    let target = try target()
    guard target.word.isByteList else { throw target.word.isNoByteList }
    return try target.bytes()
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

extension RawStruct {
  @usableFromInline @inline(never)
  func distantStructure(_ index: Int) throws(DecodingError) -> RawStruct {
    try pointer(index).distantStructure()
  }

  @usableFromInline @inline(never)
  func otherList(_ index: Int, _ expected: ElementSize) throws(DecodingError) -> RawList {
    try pointer(index).otherList(expected)
  }

  @usableFromInline @inline(never)
  func distantBytes(_ index: Int) throws(DecodingError) -> RawBytes {
    try pointer(index).distantBytes()
  }

  @usableFromInline @inline(never)
  func distantText(_ index: Int) throws(DecodingError) -> RawBytes {
    try pointer(index).distantText()
  }
}
