// Safety. Views of words that were compared with their segment's bounds when a pointer was followed
// (NearReading.swift, DistantReading.swift), which read no further than those. Loads are unaligned
// ones, as the words may be borrowed from a buffer of any alignment. Values of these types stay inside
// the module; see Segment.swift for why the addresses in them are alive.

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
  var index: Int {
    unsafe (Int(bitPattern: place) &- Int(bitPattern: segment.pointee.start)) >> 3
  }
}

/// A struct whose sections are checked.
///
/// It is passed in four registers, of which none is put together of more than the last one, as a
/// function that calls itself for each struct does little else.
@safe @usableFromInline
@frozen struct RawStruct: BitwiseCopyable {
  @usableFromInline let segment: SegmentPointer
  @usableFromInline let data: UnsafeMutableRawPointer
  /// Bits of data; no multiple of 64 where the struct is an element of a list of primitives.
  @usableFromInline let dataBits: Int
  /// Above the levels that the pointers may follow, which take 16 bits.
  @usableFromInline let pointersAndNesting: UInt

  @inlinable @inline(__always)
  init(
    segment: SegmentPointer, data: UnsafeMutableRawPointer, dataBits: UInt32, pointers: UInt16,
    nesting: UInt16
  ) {
    unsafe self.segment = segment
    unsafe self.data = data
    self.dataBits = Int(dataBits)
    pointersAndNesting = UInt(pointers) &<< 16 | UInt(nesting)
  }

  @inlinable var pointers: UInt16 {
    @inline(__always) get { UInt16(truncatingIfNeeded: pointersAndNesting &>> 16) }
  }
  @inlinable var nesting: UInt16 {
    @inline(__always) get { UInt16(truncatingIfNeeded: pointersAndNesting) }
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
    unsafe presentPointer(index) ?? RawPointer(nullIn: segment)
  }

  /// The pointer at the index; nil past the section's end.
  @inlinable @inline(__always)
  func presentPointer(_ index: Int) -> RawPointer? {
    guard index >= 0, _fastPath(index < Int(pointers)) else { return nil }
    // Where there are pointers, the data is whole words.
    return unsafe RawPointer(
      segment: segment, place: data + (dataBits >> 3 &+ index &* 8), nesting: nesting)
  }

  @inlinable @inline(__always)
  func load<Bits: FixedWidthInteger & BitwiseCopyable>(_ index: Int, as: Bits.Type) -> Bits {
    let size = MemoryLayout<Bits>.size
    // Divided, not multiplied: no index wraps around.
    guard index >= 0, index < dataBits / Bits.bitWidth else { return 0 }
    return Bits(
      littleEndian: unsafe data.loadUnaligned(fromByteOffset: index &* size, as: Bits.self))
  }

  @inlinable @inline(__always)
  func loadBit(_ bit: Int) -> Bool {
    guard bit >= 0, bit < dataBits else { return false }
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
  /// Levels that the elements' pointers may follow.
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
      segment: segment, data: start + index &* (step >> 3),
      dataBits: dataBits == 1 ? 0 : dataBits, pointers: pointers, nesting: nesting)
  }

  /// Stops code that asks a list of unknown elements for others than it has. Lists that were
  /// obtained by type hold such elements, whatever the message says.
  @inlinable @inline(__always)
  func check(_ index: Int, bits: Int) {
    precondition(index >= 0 && index < count, indexOutOfRange(index, of: count))
    precondition(bits <= Int(dataBits), "the list has smaller elements")
  }

  @inlinable @inline(__always)
  func load<Bits: FixedWidthInteger & BitwiseCopyable>(_ index: Int, as: Bits.Type) -> Bits {
    check(index, bits: MemoryLayout<Bits>.size &* 8)
    return Bits(
      littleEndian: unsafe start.loadUnaligned(
        fromByteOffset: index &* (step >> 3), as: Bits.self))
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
