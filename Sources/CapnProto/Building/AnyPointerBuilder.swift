// Safety. The one place where bytes of the caller's are copied into a message: each copy goes to
// an allocation of the same count.

/// A pointer of a message being built: AnyPointer, or a pointer field before its type is known.
@frozen public struct AnyPointerBuilder: ~Escapable {
  @usableFromInline let raw: RawPointerBuilder

  @inlinable @inline(__always) @_lifetime(immortal)
  init(raw: RawPointerBuilder) { self.raw = raw }

  /// Whether the pointer is null.
  @inlinable public var isNull: Bool { raw.word.isNull }

  /// Makes the pointer null and erases what it led to.
  public func clear() { if !isNull { raw.erase() } }

  /// The pointer as it stands, for reading.
  @inlinable public var reader: AnyPointerReader {
    @_lifetime(copy self) get { AnyPointerReader(raw: raw.reader) }
  }

  /// A new struct of the type, all zero.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func initStructure<Builder: TypedStructBuilder & ~Escapable>(
    as: Builder.Type = Builder.self
  ) -> Builder {
    Builder(_raw: StructBuilder(raw: raw.initStructure(Builder._layout)))
  }

  /// The struct that the pointer leads to; a new one where there is none.
  @inlinable @_lifetime(copy self)
  public func structure<Builder: TypedStructBuilder & ~Escapable>(
    as: Builder.Type = Builder.self
  ) -> Builder {
    Builder(_raw: StructBuilder(raw: raw.structure(Builder._layout)))
  }

  /// A new list of the count, at most 2^29 - 1 elements, all zero or null.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func initList<Element: ListElementBuilder & ~Escapable>(
    of: Element.Type = Element.self, count: Int
  ) -> ListBuilder<Element> {
    ListBuilder(
      _list: AnyListBuilder(
        raw: Element._elementSize == .inlineComposite
          ? raw.initStructureList(Element._structLayout, count: count)
          : raw.initList(Element._elementSize, count: count)))
  }

  /// The list that the pointer leads to; an empty one where there is none.
  @inlinable @_lifetime(copy self)
  public func list<Element: ListElementBuilder & ~Escapable>(
    of: Element.Type = Element.self
  ) -> ListBuilder<Element> {
    ListBuilder(
      _list: AnyListBuilder(
        raw: Element._elementSize == .inlineComposite
          ? raw.structureList(Element._structLayout) : raw.list(Element._elementSize)))
  }

  /// Sets a text of the string's UTF-8.
  @inlinable @inline(__always)
  public func setText(_ string: String) {
    let isSet: Void? = unsafe string.utf8.withContiguousStorageIfAvailable {
      unsafe setBytes(UnsafeRawBufferPointer($0), terminated: true)
    }
    if isSet == nil { setForeignText(string) }
  }

  /// Sets a text of a string that has no UTF-8 in memory, as one of Objective-C may not: it is made
  /// first, and nothing but that is released.
  @usableFromInline @inline(never) @_effects(releasenone)
  func setForeignText(_ string: String) { setText(utf8: string.utf8.span) }

  /// Sets a text of the bytes, which should be UTF-8 without a NUL at the end.
  @inlinable @inline(__always)
  public func setText(utf8 bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBytes { unsafe setBytes($0, terminated: true) }
  }

  /// Sets data of the bytes.
  @inlinable @inline(__always)
  public func setData(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBytes { unsafe setBytes($0, terminated: false) }
  }

  /// Sets data of the bytes.
  @inlinable @inline(__always)
  public func setData(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe setBytes($0, terminated: false) }
  }

  /// Sets a text, by a copy.
  @inlinable @inline(__always)
  public func set(_ text: TextReader) { setText(utf8: text.bytes) }

  /// Sets data, by a copy.
  @inlinable @inline(__always)
  public func set(_ data: DataReader) { setData(data.bytes) }

  @inlinable @inline(__always)
  func setBytes(_ bytes: UnsafeRawBufferPointer, terminated: Bool) {
    guard isNull else { return unsafe replaceBytes(bytes, terminated: terminated) }
    let target = unsafe raw.initBytes(count: bytes.count &+ (terminated ? 1 : 0))
    guard let source = bytes.baseAddress else { return }
    // Most are short, and a call costs more than to copy them.
    if bytes.count > 16 {
      unsafe target.copyMemory(from: source, byteCount: bytes.count)
    } else if bytes.count >= 8 {
      unsafe target.copyEnds(UInt64.self, of: source, count: bytes.count)
    } else if bytes.count >= 4 {
      unsafe target.copyEnds(UInt32.self, of: source, count: bytes.count)
    } else {
      for index in 0..<bytes.count {
        unsafe target.storeBytes(of: bytes[index], toByteOffset: index, as: UInt8.self)
      }
    }
  }

  // Where a text is null and has room, as is the rule, nothing releases an object. As the other paths
  // do not either, the compiler need not retain the string meanwhile.
  @usableFromInline @inline(never) @_effects(releasenone)
  func replaceBytes(_ bytes: UnsafeRawBufferPointer, terminated: Bool) {
    // The bytes may be those that are replaced: what was here goes after they are copied.
    let replaced = raw.detach()
    unsafe setBytes(bytes, terminated: terminated)
    replaced?.eraseWords()
  }

  /// The text that the pointer leads to, copied; empty where there is none.
  public var string: String { (try? reader.text().string) ?? "" }

  /// The data that the pointer leads to, copied; empty where there is none.
  public var array: [UInt8] { (try? reader.data().array) ?? [] }

  /// Copies what the other pointer leads to, in depth.
  ///
  /// - Throws: ``DecodingError`` if the source is invalid; what was copied until then stays.
  public func set(_ source: AnyPointerReader) throws(DecodingError) {
    try raw.copy(from: source.raw)
  }

  /// Copies the struct in depth.
  ///
  /// - Throws: ``DecodingError`` if the source is invalid; what was copied until then stays.
  public func set(_ source: StructReader) throws(DecodingError) {
    try raw.copyStructure(source.raw, atLeast: StructLayout(dataWords: 0, pointers: 0))
  }

  /// Copies the struct in depth.
  ///
  /// - Throws: ``DecodingError`` if the source is invalid; what was copied until then stays.
  public func set<Reader: TypedStructReader & ~Escapable>(
    _ source: Reader
  ) throws(DecodingError) {
    try raw.copyStructure(source._raw.raw, atLeast: Reader._layout)
  }

  /// Copies the list in depth.
  ///
  /// - Throws: ``DecodingError`` if the source is invalid; what was copied until then stays.
  public func set<Element: ListElement & ~Escapable>(
    _ source: ListReader<Element>
  ) throws(DecodingError) {
    try raw.copyList(source._list.raw)
  }

  /// Adds the capability to the message's table and refers to it; null for nil.
  public func setCapability(_ hook: (any CapabilityHook)?) { raw.setCapability(hook) }

  /// The capability that the pointer refers to.
  public var capability: (any CapabilityHook)? { try? raw.reader.capabilityHook() }
}

extension UnsafeMutableRawPointer {
  /// Copies a number at each end of the bytes, which are at least as many as it has and at most twice
  /// as many.
  @inlinable @inline(__always)
  func copyEnds<Number: BitwiseCopyable>(
    _: Number.Type, of source: UnsafeRawPointer, count: Int
  ) {
    let last = count &- MemoryLayout<Number>.size
    unsafe storeBytes(of: source.loadUnaligned(as: Number.self), as: Number.self)
    unsafe storeBytes(
      of: source.loadUnaligned(fromByteOffset: last, as: Number.self), toByteOffset: last,
      as: Number.self)
  }
}
