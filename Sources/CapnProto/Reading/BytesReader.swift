// Safety. Views of bytes whose bounds were checked when the pointer was followed. The spans that
// they hand out depend on the view's own lifetime, which depends on the message's.

/// A text of a message: UTF-8, without the NUL that ends it on the wire.
///
/// It cannot outlive its message. Making a `String` copies the bytes, so it is explicit.
@frozen public struct TextReader: ~Escapable {
  @usableFromInline let raw: RawBytes

  @inlinable @inline(__always) @_lifetime(immortal)
  init(raw: RawBytes) { self.raw = raw }

  /// Bytes.
  @inlinable public var count: Int { raw.count }
  /// Whether there is no byte.
  @inlinable public var isEmpty: Bool { raw.count == 0 }

  /// The bytes, as they are on the wire: not checked to be UTF-8.
  @inlinable public var bytes: Span<UInt8> {
    @_lifetime(copy self) get {
      let span = unsafe Span<UInt8>(
        _unsafeStart: raw.start.assumingMemoryBound(to: UInt8.self), count: raw.count)
      return unsafe _overrideLifetime(span, copying: self)
    }
  }

  /// A copy, in which bytes that are not UTF-8 are replaced by U+FFFD.
  public var string: String {
    unsafe String(
      decoding: UnsafeRawBufferPointer(start: raw.start, count: raw.count), as: UTF8.self)
  }

  /// Whether the bytes are those of the string.
  public static func == (text: TextReader, string: String) -> Bool {
    let utf8 = string.utf8
    guard utf8.count == text.count else { return false }
    let bytes = text.bytes
    var index = 0
    for byte in utf8 {
      guard bytes[index] == byte else { return false }
      index += 1
    }
    return true
  }
}

/// Data of a message: bytes without a meaning. It cannot outlive its message.
@frozen public struct DataReader: ~Escapable {
  @usableFromInline let raw: RawBytes

  @inlinable @inline(__always) @_lifetime(immortal)
  init(raw: RawBytes) { self.raw = raw }

  /// Bytes.
  @inlinable public var count: Int { raw.count }
  /// Whether there is no byte.
  @inlinable public var isEmpty: Bool { raw.count == 0 }

  /// The bytes.
  @inlinable public var bytes: Span<UInt8> {
    @_lifetime(copy self) get {
      let span = unsafe Span<UInt8>(
        _unsafeStart: raw.start.assumingMemoryBound(to: UInt8.self), count: raw.count)
      return unsafe _overrideLifetime(span, copying: self)
    }
  }

  /// A copy of the bytes.
  public var array: [UInt8] {
    unsafe [UInt8](UnsafeRawBufferPointer(start: raw.start, count: raw.count))
  }
}

extension TextReader: PointerElement {
  /// A pointer.
  @inlinable public static var _elementSize: ElementSize { .pointer }
  /// Reads an element; the index is checked.
  @inlinable @_lifetime(copy list)
  public static func _element(
    _ list: AnyListReader, _ index: Int
  ) throws(DecodingError) -> TextReader {
    try list.pointer(index).text()
  }
}

extension DataReader: PointerElement {
  /// A pointer.
  @inlinable public static var _elementSize: ElementSize { .pointer }
  /// Reads an element; the index is checked.
  @inlinable @_lifetime(copy list)
  public static func _element(
    _ list: AnyListReader, _ index: Int
  ) throws(DecodingError) -> DataReader {
    try list.pointer(index).data()
  }
}
