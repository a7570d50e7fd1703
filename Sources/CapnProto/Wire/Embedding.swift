// Safety. Puts words of a message that nobody vouches for into a message that is built, unchecked. That
// is sound because no builder follows a pointer in them: the message gets a new root, what is built
// under it lies behind those words, and `embed` sets the pointer that leads into them last. This is
// the caller's to keep, so the functions are for this package alone. A reader of the message checks
// each pointer as of any other. Places in the copy are those that the reading side has checked in the
// source, whose segments have the same numbers and are as long.
//
// A message that is passed on, the same content under another root, is copied in this way: what that
// costs depends on the size of the message, and not on what its pointers make of it.

extension MessageBuilder {
  /// A message with a null root that contains the words of the source's message as they are, and its
  /// capabilities under the same indices.
  ///
  /// It may be read for as many words as the source's message, and what is built in it. Of a message of
  /// more segments than that is done for, nothing is copied: ``AnyPointerBuilder/embed(_:)-swift.method``
  /// copies the object then.
  package init(embedding source: StructReader) {
    let segment = unsafe source.raw.segment
    guard unsafe segment.isEmbeddable else {
      self.init()
      return
    }
    let arena = unsafe segment.pointee.arena.pointee.owner.takeUnretainedValue()
    self.init(owner: ArenaOwner(.embedding(arena)))
  }

  /// Zeroes a struct of the message that was embedded: what is not to be passed on with the content.
  ///
  /// - Parameter source: the struct in the message that it was copied from.
  package func erase(embedded source: StructReader) {
    let raw = source.raw
    unsafe erase(raw.segment, raw.data, bytes: raw.dataBits / 8 + Int(raw.pointers) * 8)
  }

  /// Zeroes the elements of a list of the message that was embedded.
  ///
  /// - Parameter source: the list in the message that it was copied from.
  package func erase(embedded source: AnyListReader) {
    let raw = source.raw
    unsafe erase(raw.segment, raw.start, bytes: (raw.count * raw.step + 7) / 8)
  }

  /// Zeroes the last segment of the message that was embedded, if it begins with the word and is not the only
  /// one. Nothing may be built yet.
  package func eraseLastSegment(beginningWith word: UInt64) {
    let count = arena.segmentCount
    guard count > 1 else { return }
    let segment = unsafe owner.header.pointee.segments[count - 1]
    let used = unsafe segment.pointee.used
    guard used > 0,
      unsafe UInt64(littleEndian: segment.pointee.start.loadUnaligned(as: UInt64.self)) == word
    else { return }
    unsafe segment.pointee.start.initializeMemory(
      as: UInt8.self, repeating: 0, count: used * 8)
  }

  private func erase(_ source: SegmentPointer, _ start: UnsafeMutableRawPointer, bytes: Int) {
    guard unsafe source.isEmbeddable else { return }
    let offset = unsafe start - source.pointee.start
    let copy = unsafe owner.header.pointee.segments[Int(source.pointee.id)]
    unsafe (copy.pointee.start + offset).initializeMemory(
      as: UInt8.self, repeating: 0, count: bytes)
  }
}

extension AnyPointerBuilder {
  /// Leads the pointer, which is null, to what the source leads to in the message that was embedded.
  ///
  /// - Parameter source: a pointer in the message that was embedded. Capabilities are those under its
  ///   indices.
  /// - Throws: ``DecodingError`` if it leads outside of its message or to nothing of a known kind.
  package func embed(_ source: AnyPointerReader) throws(DecodingError) {
    let source = source.raw
    guard unsafe source.segment.isEmbeddable else { return try raw.copy(from: source) }
    if source.word.isNull || source.word.isCapability {
      raw.word = source.word
    } else {
      try raw.lead(to: source.target())
    }
  }

  /// Leads the pointer, which is null, to the struct in the message that was embedded.
  ///
  /// - Parameter source: a struct in the message that was embedded, which is no element of a list.
  /// - Throws: ``DecodingError`` if a message of many segments, which is copied, is invalid.
  package func embed(_ source: StructReader) throws(DecodingError) {
    let source = source.raw
    guard unsafe source.segment.isEmbeddable else {
      return try raw.copyStructure(source, atLeast: StructLayout(dataWords: 0, pointers: 0))
    }
    let layout = StructLayout(
      dataWords: UInt16(truncatingIfNeeded: source.dataBits / 64), pointers: source.pointers)
    try unsafe raw.lead(
      to: RawTarget(
        segment: source.segment, word: .structure(offset: 0, layout: layout),
        index: (source.data - source.segment.pointee.start) >> 3))
  }
}

extension SegmentPointer {
  /// Whether the segment's message is passed on as bytes. One of more segments is copied object by object,
  /// so that no vat on the way makes more segments of it than readers take, and so is one whose first
  /// segment leaves no room for a root that far pointers reach.
  fileprivate var isEmbeddable: Bool {
    let arena = unsafe pointee.arena
    return unsafe arena.pointee.segmentCount <= 256
      && arena.pointee.segments[0].pointee.used < 1 << 28
  }
}

extension RawPointerBuilder {
  /// Leads the pointer, which is null, to a place of the embedded words: by a double far pointer where
  /// that is in another segment (encoding specification, "Inter-Segment Pointers").
  fileprivate func lead(to target: RawTarget) throws(DecodingError) {
    guard target.word.kind < 2 else { throw target.word.unexpected(.structure) }
    // A far pointer has 29 bits for its offset. Where the object ends is checked here, as there are more
    // words behind it in the copy than in the source; of what it leads to that is not known.
    guard target.index >= 0, target.index < 1 << 29,
      unsafe target.index + target.word.objectWords <= target.segment.pointee.used
    else { throw .pointerOutOfBounds }
    if target.word.kind == 0, target.word.layout.words == 0 {
      word = .structure(offset: -1, layout: target.word.layout)
      return
    }
    let id = unsafe target.segment.pointee.id
    if unsafe id == segment.pointee.id {
      word = target.word.with(offset: target.index - 1 - reader.index)
      return
    }
    let pads = unsafe segment.pointee.arena.segment(withRoomFor: 2)
    let index = unsafe pads.pointee.used
    unsafe pads.pointee.used = index + 2
    let pad = unsafe RawPointerBuilder(
      segment: pads, place: pads.pointee.start + index * 8)
    pad.word = .far(segment: id, offset: target.index)
    unsafe RawPointerBuilder(segment: pads, place: pad.place + 8).word =
      target.word.with(offset: 0)
    word = unsafe .far(segment: pads.pointee.id, offset: index, double: true)
  }
}

extension WirePointer {
  /// The number of words of the struct or list that this describes.
  fileprivate var objectWords: Int {
    if kind == 0 { return layout.words }
    let size = elementSize
    return size == .inlineComposite ? listCount + 1 : (listCount * size.stepBits + 63) / 64
  }

  /// The descriptor of a struct or list, so many words behind it.
  fileprivate func with(offset: Int) -> WirePointer {
    WirePointer(bits & ~0xffff_fffc | UInt64(UInt32(truncatingIfNeeded: offset &<< 2)))
  }
}
