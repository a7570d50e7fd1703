// Safety. Writes into segments that this process allocated. A builder's sections were allocated in
// full, or enlarged by `upgraded`, to at least the layout that its type has, so its accessors need
// no bounds check but for an index that generated code passes as a constant. Segments never move,
// which keeps builders valid while others allocate. What the words hold came from these functions
// or from `Copying.swift`, which checks what it copies: pointers here lead to valid objects.

/// A place in a message being built that holds a pointer.
@safe @usableFromInline
@frozen struct RawPointerBuilder: BitwiseCopyable {
  @usableFromInline let segment: SegmentPointer
  @usableFromInline let place: UnsafeMutableRawPointer

  @inlinable @inline(__always)
  init(segment: SegmentPointer, place: UnsafeMutableRawPointer) {
    unsafe self.segment = segment
    unsafe self.place = place
  }

  @inlinable var word: WirePointer {
    @inline(__always) get {
      WirePointer(UInt64(littleEndian: unsafe place.loadUnaligned(as: UInt64.self)))
    }
    @inline(__always) nonmutating set {
      unsafe place.storeBytes(of: newValue.bits.littleEndian, as: UInt64.self)
    }
  }

  /// The place as a reader sees it. Our own nesting is not limited.
  @inlinable var reader: RawPointer {
    unsafe RawPointer(segment: segment, place: place, nesting: .max)
  }
}

/// Words allocated for an object, and the word that describes them: the pointer itself, or the
/// landing pad where the object went to another segment.
@safe @usableFromInline
@frozen struct Allocation {
  @usableFromInline let descriptor: RawPointerBuilder
  @usableFromInline let start: UnsafeMutableRawPointer

  @inlinable @inline(__always)
  init(descriptor: RawPointerBuilder, start: UnsafeMutableRawPointer) {
    self.descriptor = descriptor
    unsafe self.start = start
  }

  /// Words from the end of the descriptor to the object.
  @inlinable var offset: Int {
    @inline(__always) get { unsafe (start - descriptor.place) >> 3 &- 1 }
  }
}

extension RawPointerBuilder {
  /// Words for a new object that this pointer will lead to; what it led to before is erased. They are
  /// zero, unless the caller fills them: then only the last one is for certain.
  @inlinable @inline(__always)
  func allocate(_ words: Int, isFilled: Bool = false) -> Allocation {
    if !word.isNull { erase() }
    let start = unsafe segment.pointee.used
    guard words != 0, unsafe start &+ words <= segment.pointee.capacity else {
      return allocateOutOfLine(words, isFilled: isFilled)
    }
    unsafe segment.pointee.used = start &+ words
    return unsafe Allocation(
      descriptor: self, start: segment.pointee.start + start &* 8)
  }

  /// No words, or words in another segment, behind a landing pad. Releases nothing: see
  /// `replaceBytes`.
  @usableFromInline @inline(never) @_effects(releasenone)
  func allocateOutOfLine(_ words: Int, isFilled: Bool) -> Allocation {
    if words == 0 {
      let end = unsafe segment.pointee.used
      unsafe segment.pointee.lastEmpty = end
      return unsafe Allocation(descriptor: self, start: segment.pointee.start + end * 8)
    }
    // With a landing pad, which is set as well.
    let segment = unsafe segment.pointee.arena.segment(
      withRoomFor: words + 1, filled: isFilled ? words + 1 : 0)
    let index = unsafe segment.pointee.used
    unsafe segment.pointee.used = index + words + 1
    word = unsafe .far(segment: segment.pointee.id, offset: index)
    let pad = unsafe RawPointerBuilder(
      segment: segment, place: segment.pointee.start + index * 8)
    return unsafe Allocation(descriptor: pad, start: pad.place + 8)
  }

  @inlinable @inline(__always)
  func initStructure(_ layout: StructLayout) -> RawStructBuilder {
    let new = allocate(layout.words)
    // An object of no size is described by an offset of -1, so that the pointer is not null.
    new.descriptor.word = .structure(offset: layout.words == 0 ? -1 : new.offset, layout: layout)
    return unsafe RawStructBuilder(
      segment: new.descriptor.segment, data: new.start, layout: layout)
  }

  @inlinable @inline(__always)
  func initList(_ size: ElementSize, count: Int) -> RawListBuilder {
    precondition(count >= 0 && count < 1 << 29, "a list has at most 2^29 - 1 elements")
    let new = allocate((count &* size.stepBits &+ 63) >> 6)
    new.descriptor.word = .list(offset: new.offset, size: size, count: count)
    return unsafe RawListBuilder(
      RawList(
        segment: new.descriptor.segment, start: new.start, count: count, size: size,
        nesting: .max))
  }

  @inlinable @inline(__always)
  func initStructureList(_ layout: StructLayout, count: Int) -> RawListBuilder {
    precondition(count >= 0 && count < 1 << 29, "a list has at most 2^29 - 1 elements")
    let words = count &* layout.words
    precondition(words < Self.mostWords, "a list of structs has at most 2^29 - 3 words")
    let new = allocate(words &+ 1)
    new.descriptor.word = .list(offset: new.offset, size: .inlineComposite, count: words)
    unsafe new.start.storeBytes(
      of: WirePointer.structure(offset: count, layout: layout).bits.littleEndian, as: UInt64.self)
    return unsafe RawListBuilder(
      RawList(
        segment: new.descriptor.segment, start: new.start + 8, count: count, layout: layout,
        nesting: .max))
  }

  /// One more than the words of a list of structs: with tag and landing pad it fits a segment.
  @inlinable static var mostWords: Int { 1 << 29 - 2 }

  /// Room for bytes, which the caller sets at once: all of them, but for a text's NUL, which is among
  /// the count and set already.
  @inlinable @inline(__always)
  func initBytes(count: Int) -> UnsafeMutableRawPointer {
    precondition(UInt(bitPattern: count) < 1 << 29, "text and data have at most 2^29 - 1 bytes")
    let new = allocate((count &+ 7) >> 3, isFilled: true)
    new.descriptor.word = .list(offset: new.offset, size: .byte, count: count)
    return unsafe new.start
  }

  func setCapability(_ hook: (any CapabilityHook)?) {
    if !word.isNull { erase() }
    guard let hook else { return }
    let arena = unsafe segment.pointee.arena.pointee.owner.takeUnretainedValue()
    word = .capability(arena.addCapability(hook))
  }
}

extension ArenaPointer {
  /// The last segment if it has room, or a new one of at least twice its size.
  ///
  /// The caller sets the first `filled` words at once, of which only the last is cleared before in a new
  /// segment: to clear a large text or data costs nearly as much as to copy it.
  func segment(withRoomFor words: Int, filled: Int = 0) -> SegmentPointer {
    let last = unsafe pointee.segments[pointee.segmentCount - 1]
    if unsafe last.pointee.used + words <= last.pointee.capacity { return unsafe last }
    let capacity = unsafe Swift.max(words, Swift.min(last.pointee.capacity * 2, 1 << 20))
    precondition(words < 1 << 29, "a segment has at most 2^29 - 1 words")
    let owner = unsafe pointee.owner.takeUnretainedValue()
    return unsafe owner.addSegment(
      start: MessageArena.allocateWords(capacity, filled: filled), used: 0, capacity: capacity)
  }
}

/// A struct being built, whose sections are at least as large as its type has them.
@safe @usableFromInline
@frozen struct RawStructBuilder: BitwiseCopyable {
  @usableFromInline let segment: SegmentPointer
  @usableFromInline let data: UnsafeMutableRawPointer
  @usableFromInline let layout: StructLayout

  @inlinable @inline(__always)
  init(segment: SegmentPointer, data: UnsafeMutableRawPointer, layout: StructLayout) {
    unsafe self.segment = segment
    unsafe self.data = data
    self.layout = layout
  }

  @inlinable @inline(__always)
  func load<Bits: FixedWidthInteger & BitwiseCopyable>(_ index: Int, as: Bits.Type) -> Bits {
    let size = MemoryLayout<Bits>.size
    checkData(index, of: layout.dataBytes / size)
    return Bits(
      littleEndian: unsafe data.loadUnaligned(fromByteOffset: index &* size, as: Bits.self))
  }

  @inlinable @inline(__always)
  func store<Bits: FixedWidthInteger & BitwiseCopyable>(_ index: Int, _ bits: Bits) {
    let size = MemoryLayout<Bits>.size
    checkData(index, of: layout.dataBytes / size)
    unsafe data.storeBytes(of: bits.littleEndian, toByteOffset: index &* size, as: Bits.self)
  }

  @inlinable @inline(__always)
  func loadBit(_ bit: Int) -> Bool {
    checkData(bit, of: layout.dataBytes &* 8)
    return unsafe data.load(fromByteOffset: bit >> 3, as: UInt8.self) >> UInt8(bit & 7) & 1 != 0
  }

  @inlinable @inline(__always)
  func storeBit(_ bit: Int, _ value: Bool) {
    checkData(bit, of: layout.dataBytes &* 8)
    unsafe data.storeBit(bit, value)
  }

  @inlinable @inline(__always)
  func pointer(_ index: Int) -> RawPointerBuilder {
    precondition(index >= 0 && index < Int(layout.pointers), "pointer outside of a struct")
    return unsafe RawPointerBuilder(
      segment: segment, place: data + (Int(layout.dataWords) &+ index) &* 8)
  }

  /// The type's own layout, a constant, is what the sections were made for: the check is a compare
  /// that predicts, and makes a generated accessor that belies its layout a trap, not a stray write.
  @inlinable @inline(__always)
  func checkData(_ index: Int, of count: Int) {
    precondition(index >= 0 && index < count, "field outside of a struct")
  }

  @inlinable var reader: RawStruct {
    unsafe RawStruct(
      segment: segment, data: data, dataBits: UInt32(layout.dataWords) &* 64,
      pointers: layout.pointers, nesting: .max)
  }
}

/// A list being built: a place of a list that may be written to.
@safe @usableFromInline
@frozen struct RawListBuilder: BitwiseCopyable {
  @usableFromInline let reader: RawList

  /// The list, which is one of our own message.
  @inlinable @inline(__always)
  init(_ reader: RawList) { self.reader = reader }

  @inlinable static func empty(_ segment: SegmentPointer) -> RawListBuilder {
    unsafe RawListBuilder(.empty(segment))
  }

  @inlinable var count: Int {
    @inline(__always) get { reader.count }
  }

  /// The element as a struct, of no data where its size is below a word. The caller has checked the
  /// index.
  @inlinable @inline(__always)
  func structure(_ index: Int) -> RawStructBuilder {
    unsafe RawStructBuilder(
      segment: reader.segment, data: reader.start + (index &* reader.step) >> 3,
      layout: StructLayout(
        dataWords: UInt16(truncatingIfNeeded: reader.dataBits >> 6), pointers: reader.pointers))
  }

  @inlinable @inline(__always)
  func store<Bits: FixedWidthInteger & BitwiseCopyable>(_ index: Int, _ bits: Bits) {
    // What is written past an element's data might be taken for a pointer of ours.
    reader.check(index, bits: MemoryLayout<Bits>.size &* 8)
    unsafe reader.start.storeBytes(
      of: bits.littleEndian, toByteOffset: (index &* reader.step) >> 3, as: Bits.self)
  }

  @inlinable
  func storeBit(_ index: Int, _ value: Bool) {
    reader.check(index, bits: 1)
    unsafe reader.start.storeBit(index &* reader.step, value)
  }

  /// The element's first pointer.
  @inlinable @inline(__always)
  func pointer(_ index: Int) -> RawPointerBuilder {
    precondition(reader.pointers > 0, "a list without pointers")
    return unsafe RawPointerBuilder(
      segment: reader.segment,
      place: reader.start + (index &* reader.step &+ Int(reader.dataBits)) >> 3)
  }
}

extension UnsafeMutableRawPointer {
  @inlinable @inline(__always)
  func storeBit(_ bit: Int, _ value: Bool) {
    let byte = unsafe load(fromByteOffset: bit >> 3, as: UInt8.self)
    let mask = 1 as UInt8 &<< UInt8(bit & 7)
    unsafe storeBytes(
      of: value ? byte | mask : byte & ~mask, toByteOffset: bit >> 3, as: UInt8.self)
  }
}
