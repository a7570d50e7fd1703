// Safety. Hands out views of the orphan's own object, whose bounds are those that were checked when
// it was found. The views depend on the orphan exclusively, so that none sees it resized or moved.

/// An object of a message being built that no pointer leads to: detached, or not yet adopted.
///
/// An orphan cannot outlive its message, is adopted at most once, and is erased if it is not. It
/// stays in the message's memory all the while, so adopting it copies nothing. It is made by
/// ``Orphanage``, or by ``AnyPointerBuilder/disown(as:)``.
///
/// `Value` says of what kind it is: a struct's builder, a ``ListBuilder``, ``TextType``,
/// ``DataType``, the client of a capability, or ``AnyPointerBuilder`` for any.
@safe public struct Orphan<Value: ListElementBuilder & ~Escapable>: ~Copyable, ~Escapable {
  private(set) var object: OrphanedObject

  @_lifetime(immortal)
  init(object: OrphanedObject) { self.object = object }

  /// What was detached from the pointer, which may be nothing.
  @_lifetime(immortal)
  init(_ object: OrphanedObject?, from pointer: RawPointerBuilder) {
    self.object = unsafe object ?? .null(pointer.segment)
  }

  deinit { object.erase() }

  /// Whether there is nothing: the pointer that it was disowned from was null.
  public var isNull: Bool { object.target.word.isNull }

  /// The object, which is the caller's from here on.
  consuming func taken() -> OrphanedObject {
    let taken = object
    object = unsafe .null(object.target.segment)
    return taken
  }

  /// The same orphan, taken for one of another type.
  @_lifetime(copy self)
  public consuming func cast<Other: ListElementBuilder & ~Escapable>(
    to: Other.Type = Other.self
  ) -> Orphan<Other> {
    Orphan<Other>(object: taken())
  }

  fileprivate mutating func resize(to count: Int) { object.resize(to: count) }
}

extension Orphan where Value: TypedStructBuilder & ~Escapable {
  /// The struct; a new one where there is none.
  public var builder: Value {
    @_lifetime(&self) mutating get {
      Value(_raw: StructBuilder(raw: object.structure(Value._layout)))
    }
  }
}

extension Orphan where Value: TypedListBuilder & ~Escapable {
  /// The list; an empty one where there is none.
  public var builder: Value {
    @_lifetime(&self) mutating get {
      Value(
        _list: AnyListBuilder(
          raw: Value._innerSize == .inlineComposite
            ? object.structureList(Value._innerLayout) : object.list(Value._innerSize)))
    }
  }

  /// Elements.
  public var count: Int { object.list.map { Int($0.count) } ?? 0 }

  /// Makes the list one of so many elements: what is cut off is erased, what is new is zero or null.
  ///
  /// A list that lies at the end of its segment gives memory back, or takes more. Else what is cut
  /// off stays in the message as zeros, and a list that grows moves.
  public mutating func truncate(to count: Int) {
    if object.list == nil {
      object.erase()
      let arena = unsafe object.target.segment.pointee.arena
      object =
        unsafe Value._innerSize == .inlineComposite
        ? OrphanedObject(structureList: Value._innerLayout, count: 0, arena)
        : OrphanedObject(list: Value._innerSize, count: 0, arena)
    }
    resize(to: count)
  }
}

extension Orphan where Value == DataType {
  /// The data; empty where there is none.
  public var bytes: Span<UInt8> { @_lifetime(borrow self) get { bytes(terminator: 0) } }

  /// The data, to be written in place; empty where there is none.
  public var mutableBytes: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get { mutableBytes(terminator: 0) }
  }

  /// Bytes.
  public var count: Int { object.byteCount }

  /// Makes the data one of so many bytes, as ``truncate(to:)`` of a list.
  public mutating func truncate(to count: Int) {
    makeBytes()
    resize(to: count)
  }
}

extension Orphan where Value == TextType {
  /// The text's bytes without the NUL; empty where there is none.
  public var bytes: Span<UInt8> { @_lifetime(borrow self) get { bytes(terminator: 1) } }

  /// The text's bytes without the NUL, to be written in place; they should be UTF-8.
  public var mutableBytes: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get { mutableBytes(terminator: 1) }
  }

  /// Bytes without the NUL.
  public var count: Int { max(0, object.byteCount - 1) }

  /// Makes the text one of so many bytes, as ``truncate(to:)`` of a list. Bytes that are new are NUL.
  public mutating func truncate(to count: Int) {
    makeBytes()
    // The byte that becomes the last is cut off first, and is zero when it is taken again.
    resize(to: min(count, object.byteCount))
    resize(to: count + 1)
  }
}

extension Orphan {
  /// Makes the orphan a list of bytes where it is none.
  fileprivate mutating func makeBytes() {
    guard object.byteList == nil else { return }
    object.erase()
    let arena = unsafe object.target.segment.pointee.arena
    object = unsafe OrphanedObject(list: .byte, count: 0, arena)
  }

  @_lifetime(borrow self)
  fileprivate func bytes(terminator: Int) -> Span<UInt8> {
    let count = max(0, object.byteCount - terminator)
    let start = unsafe object.start.assumingMemoryBound(to: UInt8.self)
    let bytes = unsafe Span(_unsafeStart: start, count: count)
    return unsafe _overrideLifetime(bytes, borrowing: self)
  }

  @_lifetime(&self)
  fileprivate mutating func mutableBytes(terminator: Int) -> MutableSpan<UInt8> {
    let count = max(0, object.byteCount - terminator)
    let start = unsafe object.start.assumingMemoryBound(to: UInt8.self)
    let bytes = unsafe MutableSpan(_unsafeStart: start, count: count)
    return unsafe _overrideLifetime(bytes, mutating: &self)
  }
}

extension OrphanedObject {
  fileprivate var byteList: RawList? { list.flatMap { $0.size == .byte ? $0 : nil } }
  fileprivate var byteCount: Int { byteList.map { Int($0.count) } ?? 0 }
}

extension AnyPointerBuilder {
  /// Leads the pointer to the orphan, and erases what it led to before.
  ///
  /// - Parameter orphan: of this message: to take an object of another, copy it.
  public func adopt<Value: ListElementBuilder & ~Escapable>(_ orphan: consuming Orphan<Value>) {
    raw.adopt(orphan.taken())
  }

  /// Makes the pointer null and keeps what it led to, which is null as well if the pointer was.
  @_lifetime(copy self)
  public func disown<Value: ListElementBuilder & ~Escapable>(
    as: Value.Type = Value.self
  ) -> Orphan<Value> {
    Orphan(raw.detach(), from: raw)
  }
}
