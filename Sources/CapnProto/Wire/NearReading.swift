// Safety. Follows pointers of a message that nobody vouches for, in the cases that are read inline.
// The object's address is computed as a number, modulo 2^64; what becomes an address is that number,
// once its distance from the segment's start is known to leave room for the object's words. The
// distance cannot be taken for another one: an offset has 30 bits, so it is less than 2^33 bytes away,
// a pointer's place is a multiple of 8 bytes from the start, and a segment has fewer than 2^60 words.

/// Words that lie where a pointer leads: checked, not counted yet.
@safe @usableFromInline
@frozen struct NearWords {
  @usableFromInline let start: UnsafeMutableRawPointer
  @usableFromInline let arena: ArenaPointer
  /// Words that may still be read after these.
  @usableFromInline let wordsLeft: Int

  @inlinable @inline(__always)
  init(start: UnsafeMutableRawPointer, arena: ArenaPointer, wordsLeft: Int) {
    unsafe self.start = start
    unsafe self.arena = arena
    self.wordsLeft = wordsLeft
  }

  @inlinable @inline(__always)
  func count() { unsafe arena.pointee.setWordsLeft(wordsLeft) }
}

// Each kind of pointer is read inline where it leads to what is expected in its own segment, within
// the limits. Where it does not, nothing has been counted, and all is done again out of line, where far
// pointers are followed and each fault has its error.
extension RawPointer {
  /// So many words of an object, if the pointer is of the kind, they lie in its own segment, the
  /// limit allows for them, and the number is not negative; else nil.
  ///
  /// The distance in bytes, rotated by three bits, is the index of the object's first word; where the
  /// distance is negative, or no multiple of eight, as it is for a pointer of another kind, that is
  /// more than any segment has. What else must not be negative needs one comparison for them all.
  @inlinable @inline(__always)
  func near(kind: Int, words: Int, unless number: Int) -> NearWords? {
    let offset = 2 &* (Int(Int32(truncatingIfNeeded: word.bits)) &- kind) &+ 8
    let address = unsafe UInt(bitPattern: place) &+ UInt(bitPattern: offset)
    let distance = unsafe address &- UInt(bitPattern: segment.pointee.start)
    let index = distance &>> 3 | distance &<< (UInt.bitWidth - 3)
    let room = unsafe segment.pointee.used &- words
    guard _fastPath(index <= UInt(bitPattern: room)) else { return nil }
    let arena = unsafe segment.pointee.arena
    let wordsLeft = unsafe arena.pointee.wordsLeft(after: words)
    guard _fastPath(room | wordsLeft | number >= 0) else { return nil }
    // A segment's start has an address, and so has what lies behind it.
    let start = unsafe UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
    return unsafe NearWords(start: start, arena: arena, wordsLeft: wordsLeft)
  }

  /// The struct; of a null pointer an empty one, which is what its bits say.
  @inlinable var nearStructure: RawStruct? {
    @inline(__always) get {
      let nesting = Int(nesting) &- 1
      guard let words = near(kind: 0, words: word.layout.words, unless: nesting) else {
        return nil
      }
      words.count()
      return unsafe RawStruct(segment: segment, data: words.start, word: word, nesting: nesting)
    }
  }

  /// The list of structs.
  @inlinable var nearStructureList: RawList? {
    @inline(__always) get {
      let count = word.listCount
      let nesting = Int(nesting) &- 1
      guard word.elementSize == .inlineComposite,
        let words = near(kind: 1, words: count &+ 1, unless: nesting)
      else { return nil }
      let tag = unsafe RawPointer(segment: segment, place: words.start, nesting: 0).word
      let layout = tag.layout
      // Elements of no size are counted by themselves.
      guard _fastPath(tag.isTag), _fastPath(layout.words != 0),
        _fastPath(tag.tagCount &* layout.words <= count)
      else { return nil }
      words.count()
      return unsafe RawList(
        segment: segment, start: words.start + 8, count: tag.tagCount, layout: layout,
        nesting: UInt16(truncatingIfNeeded: nesting))
    }
  }

  /// The data.
  @inlinable var nearBytes: RawBytes? {
    @inline(__always) get {
      let count = word.listCount
      guard word.elementSize == .byte,
        let words = near(kind: 1, words: (count &+ 7) >> 3, unless: 0)
      else { return nil }
      words.count()
      return unsafe RawBytes(segment: segment, start: words.start, count: count)
    }
  }

  /// The text without its NUL.
  @inlinable var nearText: RawBytes? {
    @inline(__always) get {
      let count = word.listCount &- 1
      guard word.elementSize == .byte,
        let words = near(kind: 1, words: (count &+ 8) >> 3, unless: count),
        _fastPath(unsafe words.start.load(fromByteOffset: count, as: UInt8.self) == 0)
      else { return nil }
      words.count()
      return unsafe RawBytes(segment: segment, start: words.start, count: count)
    }
  }

  @inlinable @inline(__always)
  func structure() throws(DecodingError) -> RawStruct {
    if let near = nearStructure { return near }
    return try distantStructure()
  }

  /// The list, whose elements can be read as the expected size.
  @inlinable @inline(__always)
  func list(_ expected: ElementSize) throws(DecodingError) -> RawList {
    if expected == .inlineComposite, let near = nearStructureList { return near }
    return try otherList(expected)
  }

  /// The data.
  @inlinable @inline(__always)
  func bytes() throws(DecodingError) -> RawBytes {
    if let near = nearBytes { return near }
    return try distantBytes()
  }

  /// The text without its NUL.
  @inlinable @inline(__always)
  func text() throws(DecodingError) -> RawBytes {
    if let near = nearText { return near }
    return try distantText()
  }
}

// What a struct's pointer leads to. As what is left to do out of line is told by struct and index,
// which the caller has at hand, nothing else is kept for that case.
extension RawStruct {
  /// A struct of the sections in its pointer's word. The nesting is not negative.
  @inlinable @inline(__always)
  init(segment: SegmentPointer, data: UnsafeMutableRawPointer, word: WirePointer, nesting: Int) {
    unsafe self.segment = segment
    unsafe self.data = data
    dataBits = Int(word.dataWords) &* 64
    pointersAndNesting = UInt(word.pointers) &<< 16 | UInt(bitPattern: nesting)
  }

  @inlinable @inline(__always)
  func structure(_ index: Int) throws(DecodingError) -> RawStruct {
    if let near = presentPointer(index)?.nearStructure { return near }
    return try distantStructure(index)
  }

  /// The list, whose elements can be read as the expected size.
  @inlinable @inline(__always)
  func list(_ index: Int, _ expected: ElementSize) throws(DecodingError) -> RawList {
    if expected == .inlineComposite, let near = presentPointer(index)?.nearStructureList {
      return near
    }
    return try otherList(index, expected)
  }

  @inlinable @inline(__always)
  func bytes(_ index: Int) throws(DecodingError) -> RawBytes {
    if let near = presentPointer(index)?.nearBytes { return near }
    return try distantBytes(index)
  }

  /// The text without its NUL.
  @inlinable @inline(__always)
  func text(_ index: Int) throws(DecodingError) -> RawBytes {
    if let near = presentPointer(index)?.nearText { return near }
    return try distantText(index)
  }
}
