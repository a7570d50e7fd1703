/// The bits of a pointer word (encoding specification, "Pointers"), little-endian already undone.
@usableFromInline
@frozen struct WirePointer: Equatable {
  @usableFromInline let bits: UInt64

  @inlinable @inline(__always) init(_ bits: UInt64) { self.bits = bits }

  /// Struct 0, list 1, far 2, other (capability) 3.
  @inlinable var kind: UInt64 { bits & 3 }
  @inlinable var isNull: Bool { bits == 0 }
  /// Words from the end of the pointer to the target, signed: structs and lists.
  @inlinable var offset: Int { Int(Int32(truncatingIfNeeded: bits) >> 2) }

  @inlinable var dataWords: UInt16 { UInt16(truncatingIfNeeded: bits >> 32) }
  @inlinable var pointers: UInt16 { UInt16(truncatingIfNeeded: bits >> 48) }
  @inlinable var layout: StructLayout { StructLayout(dataWords: dataWords, pointers: pointers) }

  @inlinable var elementSize: ElementSize {
    // Three bits have eight values, and so has the enum: the fallback is never taken.
    ElementSize(rawValue: UInt8(truncatingIfNeeded: (bits >> 32) & 7)) ?? .void
  }
  /// Whether this leads to a list of bytes.
  @inlinable var isByteList: Bool { bits & 0x7_0000_0003 == 0x2_0000_0001 }
  /// Elements, or words without the tag for inline-composite lists.
  @inlinable var listCount: Int { Int(bits >> 35) }
  /// Whether this is the tag word of an inline-composite list: the kind is a struct's, and the count
  /// has no more than its 29 bits.
  @inlinable var isTag: Bool { bits & 0x8000_0003 == 0 }
  /// The element count in the tag word of an inline-composite list.
  @inlinable var tagCount: Int { Int(UInt32(truncatingIfNeeded: bits) >> 2) }

  @inlinable var isDoubleFar: Bool { bits & 4 != 0 }
  @inlinable var farOffset: Int { Int(UInt32(truncatingIfNeeded: bits) >> 3) }
  @inlinable var farSegment: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) }

  /// Whether this is a capability pointer rather than one of the reserved "other" kinds.
  @inlinable var isCapability: Bool { UInt32(truncatingIfNeeded: bits) == 3 }
  @inlinable var capabilityIndex: UInt32 { UInt32(truncatingIfNeeded: bits >> 32) }

  @usableFromInline var pointerKind: PointerKind {
    switch kind {
    case 0: .structure
    case 1: .list
    case 2: .far
    default: .capability
    }
  }

  // Errors are made out of line, so that the code that checks stays small.

  /// That this leads to no object of the kind.
  @usableFromInline @inline(never)
  func unexpected(_ expected: PointerKind) -> DecodingError {
    .unexpectedPointer(expected: expected, found: pointerKind)
  }
  /// That this leads to no list of bytes.
  @usableFromInline var isNoByteList: DecodingError {
    @inline(never) get {
      kind == 1 ? .incompatibleList(expected: .byte, found: elementSize) : unexpected(.list)
    }
  }

  @inlinable static func structure(offset: Int, layout: StructLayout) -> WirePointer {
    WirePointer(
      UInt64(UInt32(truncatingIfNeeded: offset &<< 2)) | UInt64(layout.dataWords) << 32
        | UInt64(layout.pointers) << 48)
  }
  @inlinable static func list(offset: Int, size: ElementSize, count: Int) -> WirePointer {
    WirePointer(
      UInt64(UInt32(truncatingIfNeeded: offset &<< 2)) | 1 | UInt64(size.rawValue) << 32
        | UInt64(truncatingIfNeeded: count) << 35)
  }
  @inlinable static func far(segment: UInt32, offset: Int, double: Bool = false) -> WirePointer {
    WirePointer(
      UInt64(segment) << 32 | UInt64(UInt32(truncatingIfNeeded: offset)) << 3 | 2
        | (double ? 4 : 0))
  }
  @inlinable static func capability(_ index: UInt32) -> WirePointer {
    WirePointer(UInt64(index) << 32 | 3)
  }
}
