/// The size code of a list pointer (encoding specification, "Lists").
@frozen public enum ElementSize: UInt8, Hashable, Sendable {
  /// No bits: a list of Void.
  case void = 0
  /// One bit: a list of Bool.
  case bit = 1
  /// One byte.
  case byte = 2
  /// Two bytes.
  case twoBytes = 3
  /// Four bytes.
  case fourBytes = 4
  /// Eight bytes that are no pointer.
  case eightBytes = 5
  /// Eight bytes that are a pointer.
  case pointer = 6
  /// Structs, preceded by a tag word that has their layout.
  case inlineComposite = 7

  /// Bits of data in one element; 0 for pointers and structs.
  @inlinable var dataBits: Int {
    switch self {
    case .void, .pointer, .inlineComposite: 0
    case .bit: 1
    case .byte: 8
    case .twoBytes: 16
    case .fourBytes: 32
    case .eightBytes: 64
    }
  }

  /// Bits from one element to the next; 0 for structs, which have their own layout.
  @inlinable var stepBits: Int { self == .pointer ? 64 : dataBits }
}

/// The sections of a struct, in words (encoding specification, "Structs").
@frozen public struct StructLayout: Hashable, Sendable {
  /// Words of data.
  public let dataWords: UInt16
  /// Pointers, one word each.
  public let pointers: UInt16

  /// A layout of the given sections.
  @inlinable @inline(__always)
  public init(dataWords: UInt16, pointers: UInt16) {
    self.dataWords = dataWords
    self.pointers = pointers
  }

  /// Bytes of data.
  @inlinable var dataBytes: Int { Int(dataWords) &* 8 }
  /// Words in both sections.
  @inlinable var words: Int { Int(dataWords) &+ Int(pointers) }

  /// Sections that have room for those of both.
  func atLeast(_ other: StructLayout) -> StructLayout {
    StructLayout(
      dataWords: max(dataWords, other.dataWords), pointers: max(pointers, other.pointers))
  }
}
