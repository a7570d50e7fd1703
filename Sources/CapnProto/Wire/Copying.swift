// Safety. Copies objects of a message that nobody vouches for into our own: the source side is read
// through the checks of RawReading.swift, and each copy's bounds are those of its allocation.
//
// Copies go from one message to another. Within a message they go through a message of their own,
// as source and destination may each be a part of the other.

/// Pointers that are still to be copied. No recursion: nothing bounds the depth of what a program
/// builds, and a reader's limits may be set high.
typealias PendingCopies = [(target: RawPointerBuilder, source: RawPointer)]

extension RawPointerBuilder {
  /// Copies what the other pointer leads to, of this or of another message, in depth.
  ///
  /// Capabilities go along. The source's nesting and traversal limits bound the work.
  @usableFromInline @inline(never)
  func copy(from source: RawPointer) throws(DecodingError) {
    guard unsafe !isSameMessage(source.segment) else {
      return try copyAside { (place) throws(DecodingError) in try place.copy(from: source) }
    }
    if !word.isNull { erase() }
    var pending: PendingCopies = []
    try copyObject(source, &pending)
    try Self.finish(&pending)
  }

  /// Copies a list in depth.
  func copyList(_ source: RawList) throws(DecodingError) {
    guard unsafe !isSameMessage(source.segment) else {
      return try copyAside { (place) throws(DecodingError) in try place.copyList(source) }
    }
    var pending: PendingCopies = []
    try copyElements(source, &pending)
    try Self.finish(&pending)
  }

  /// Copies the struct in depth, in a layout of at least its own and this type's sections.
  @usableFromInline
  func copyStructure(
    _ source: RawStruct, atLeast layout: StructLayout
  ) throws(DecodingError) {
    guard unsafe !isSameMessage(source.segment) else {
      return try copyAside { (place) throws(DecodingError) in
        try place.copyStructure(source, atLeast: layout)
      }
    }
    var pending: PendingCopies = []
    initStructure(source.layout(atLeast: layout)).copyContent(source, &pending)
    try Self.finish(&pending)
  }

  private func isSameMessage(_ other: SegmentPointer) -> Bool {
    unsafe segment.pointee.arena == other.pointee.arena
  }

  /// Copies by way of another message. If the source is invalid, what was here stays.
  private func copyAside(
    _ copy: (RawPointerBuilder) throws(DecodingError) -> Void
  ) throws(DecodingError) {
    let aside = MessageBuilder()
    try copy(aside.root.raw)
    try withExtendedLifetime(aside.arena) { (_) throws(DecodingError) in
      try self.copy(from: aside.root.raw.reader)
    }
  }

  fileprivate static func finish(_ pending: inout PendingCopies) throws(DecodingError) {
    while let next = pending.popLast() { try next.target.copyObject(next.source, &pending) }
  }

  /// Copies an object but for what it leads to. This pointer is null.
  private func copyObject(
    _ source: RawPointer, _ pending: inout PendingCopies
  ) throws(DecodingError) {
    guard !source.word.isNull else { return }
    let target = try source.target()
    switch target.word.kind {
    case 0:
      let object = try target.structure(nesting: source.nesting)
      initStructure(target.word.layout).copyContent(object, &pending)
    case 1:
      try copyElements(target.list(nesting: source.nesting), &pending)
    default:
      setCapability(try source.capabilityHook())
    }
  }

  private func copyElements(
    _ source: RawList, _ pending: inout PendingCopies
  ) throws(DecodingError) {
    let list =
      source.size == .inlineComposite
      ? initStructureList(source.structureLayout, count: source.count)
      : initList(source.size, count: source.count)
    list.copyContent(source, &pending)
  }
}

extension OrphanedObject {
  /// A copy, in depth, of what the pointer leads to.
  init(copying source: RawPointer, _ arena: ArenaPointer) throws(DecodingError) {
    guard !source.word.isNull else {
      self = unsafe .null(arena.pointee.segments[0])
      return
    }
    let target = try source.target()
    switch target.word.kind {
    case 0:
      try unsafe self.init(
        copying: target.structure(nesting: source.nesting), target.word.layout, arena)
    case 1: try unsafe self.init(copying: target.list(nesting: source.nesting), arena)
    default:
      self = unsafe .null(arena.pointee.segments[0])
      if let hook = try source.capabilityHook() {
        let index = unsafe arena.pointee.owner.takeUnretainedValue().addCapability(hook)
        unsafe self.target = RawTarget(
          segment: self.target.segment, word: .capability(index), index: 0)
      }
    }
  }

  /// A copy of the struct, in depth, in a layout of at least its own and the given sections.
  init(
    copying source: RawStruct, _ layout: StructLayout, _ arena: ArenaPointer
  ) throws(DecodingError) {
    unsafe self.init(structure: source.layout(atLeast: layout), arena)
    var pending: PendingCopies = []
    builder.copyContent(source, &pending)
    try finish(&pending)
  }

  /// A copy of the list, in depth.
  init(copying source: RawList, _ arena: ArenaPointer) throws(DecodingError) {
    let count = source.count
    if source.size == .inlineComposite {
      unsafe self.init(structureList: source.structureLayout, count: count, arena)
    } else {
      unsafe self.init(list: source.size, count: count, arena)
    }
    var pending: PendingCopies = []
    if let list { RawListBuilder(list).copyContent(source, &pending) }
    try finish(&pending)
  }

  private func finish(_ pending: inout PendingCopies) throws(DecodingError) {
    do { try RawPointerBuilder.finish(&pending) } catch {
      erase()
      throw error
    }
  }
}

extension RawStruct {
  /// The sections of the struct, enlarged to those of the layout.
  fileprivate func layout(atLeast layout: StructLayout) -> StructLayout {
    StructLayout(
      dataWords: max(layout.dataWords, UInt16((dataBits + 63) / 64)),
      pointers: max(layout.pointers, pointers))
  }
}

extension RawListBuilder {
  /// Copies the elements of a list; this one is of the same size and count and is zero.
  func copyContent(_ source: RawList, _ pending: inout PendingCopies) {
    let count = source.count
    // Backwards, as the last that is pending is copied first.
    if source.size == .inlineComposite {
      guard source.step > 0 else { return }
      for index in (0..<count).reversed() {
        structure(index).copyContent(source.structure(index), &pending)
      }
      return
    }
    if source.size == .pointer {
      for index in (0..<count).reversed() {
        pending.append(pointer(index), source.pointer(index))
      }
      return
    }
    let bits = count * source.step
    unsafe reader.start.copyMemory(from: source.start, byteCount: bits / 8)
    if bits % 8 != 0 {
      // The bits past the last element are the sender's, and are left behind.
      let last = unsafe source.start.load(fromByteOffset: bits / 8, as: UInt8.self)
      unsafe reader.start.storeBytes(
        of: last & (1 << UInt8(bits % 8) - 1), toByteOffset: bits / 8, as: UInt8.self)
    }
  }
}

extension RawStructBuilder {
  /// Copies the data of a struct; this one's sections are at least as large and are zero.
  fileprivate func copyContent(_ source: RawStruct, _ pending: inout PendingCopies) {
    unsafe data.copyMemory(from: source.data, byteCount: Int(source.dataBits) / 8)
    for index in (0..<Int(source.pointers)).reversed() {
      pending.append(pointer(index), source.pointer(index))
    }
  }
}

extension PendingCopies {
  mutating func append(_ target: RawPointerBuilder, _ source: RawPointer) {
    if !source.word.isNull { append((target: target, source: source)) }
  }
}
