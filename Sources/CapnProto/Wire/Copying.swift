// Safety. Copies objects of a message that nobody vouches for into our own: the source side is read
// through the checks of DistantReading.swift, and each copy's bounds are those of its allocation.
//
// Copies go from one message to another. Within a message they go through a message of their own,
// as source and destination may each be a part of the other.

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
    try DeepCopy.run { (copy) throws(DecodingError) in try copy.copy(source, to: self) }
  }

  /// Copies a list in depth.
  func copyList(_ source: RawList) throws(DecodingError) {
    guard unsafe !isSameMessage(source.segment) else {
      return try copyAside { (place) throws(DecodingError) in try place.copyList(source) }
    }
    try DeepCopy.run { $0.copy(source, to: self) }
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
    try DeepCopy.run {
      $0.copyContent(of: source, to: initStructure(source.layout.atLeast(layout)))
    }
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
    unsafe self.init(structure: source.layout.atLeast(layout), arena)
    let copy = builder
    try fill { $0.copyContent(of: source, to: copy) }
  }

  /// A copy of the list, in depth.
  init(copying source: RawList, _ arena: ArenaPointer) throws(DecodingError) {
    let count = source.count
    if source.size == .inlineComposite {
      unsafe self.init(structureList: source.structureLayout, count: count, arena)
    } else {
      unsafe self.init(list: source.size, count: count, arena)
    }
    if let list { try fill { $0.copyContent(of: source, to: RawListBuilder(list)) } }
  }

  private func fill(_ start: (inout DeepCopy) -> Void) throws(DecodingError) {
    do { try DeepCopy.run(start) } catch {
      erase()
      throw error
    }
  }
}

extension RawStruct {
  /// The sections of the struct, in whole words.
  fileprivate var layout: StructLayout {
    StructLayout(dataWords: UInt16((dataBits + 63) / 64), pointers: pointers)
  }
}

/// A copy of objects of one message to another, in preorder.
struct DeepCopy {
  /// Pointers that lead to what is to be copied, and those that are to lead to the copies. The
  /// pointers of a source that are past the end of the copy's section are null.
  private struct Run: PointerRun {
    let source: RawList
    let copy: RawListBuilder

    var elements: Int { source.count }
    var pointersInEach: Int { Int(min(source.pointers, copy.reader.pointers)) }
    func item(_ element: Int, _ pointer: Int) -> (source: RawPointer, copy: RawPointerBuilder)? {
      source.item(element, pointer).map { ($0, copy.structure(element).pointer(pointer)) }
    }
  }

  /// Whether sections are cut to what the canonical form keeps of them.
  private let isCanonical: Bool
  private var walk = DepthFirst<Run>()

  /// Copies what the start begins with, and all that it leads to.
  static func run(
    isCanonical: Bool = false, _ start: (inout DeepCopy) throws(DecodingError) -> Void
  ) throws(DecodingError) {
    var copy = DeepCopy(isCanonical: isCanonical)
    try start(&copy)
    while let next = copy.walk.next() { try copy.copy(next.source, to: next.copy) }
  }

  /// Copies an object but for what it leads to. The pointer to the copy is null.
  mutating func copy(
    _ source: RawPointer, to place: RawPointerBuilder
  ) throws(DecodingError) {
    guard !source.word.isNull else { return }
    let target = try source.target()
    switch target.word.kind {
    case 0: copy(try target.structure(nesting: source.nesting), to: place)
    case 1: copy(try target.list(nesting: source.nesting), to: place)
    default:
      guard !isCanonical else { throw .capabilityInCanonicalForm }
      place.setCapability(try source.capabilityHook())
    }
  }

  /// Copies a struct but for what it leads to.
  mutating func copy(_ source: RawStruct, to place: RawPointerBuilder) {
    copyContent(
      of: source,
      to: place.initStructure(isCanonical ? source.canonicalLayout : source.layout)
    )
  }

  /// Copies a list but for what it leads to.
  mutating func copy(_ source: RawList, to place: RawPointerBuilder) {
    let list =
      source.size == .inlineComposite
      ? place.initStructureList(
        isCanonical ? source.canonicalLayout : source.structureLayout, count: source.count)
      : place.initList(source.size, count: source.count)
    copyContent(of: source, to: list)
  }

  /// Copies the struct's data. The copy's sections are zero, and have room for what is kept.
  mutating func copyContent(of source: RawStruct, to copy: RawStructBuilder) {
    copyData(of: source, to: copy)
    walk.enter(Run(source: RawList(of: source), copy: RawListBuilder(copy)))
  }

  /// Copies the data of a list's elements. The copy is a list of the same size and count, and is zero.
  mutating func copyContent(of source: RawList, to copy: RawListBuilder) {
    let count = source.count
    if source.size == .inlineComposite {
      guard copy.reader.step > 0 else { return }
      for index in 0..<count { copyData(of: source.structure(index), to: copy.structure(index)) }
    } else if source.size != .pointer {
      let bits = count * source.step
      unsafe copy.reader.start.copyMemory(from: source.start, byteCount: bits / 8)
      if bits % 8 != 0 {
        // The bits past the last element are the sender's, and are left behind.
        let last = unsafe source.start.load(fromByteOffset: bits / 8, as: UInt8.self)
        unsafe copy.reader.start.storeBytes(
          of: last & (1 << UInt8(bits % 8) - 1), toByteOffset: bits / 8, as: UInt8.self)
      }
    }
    walk.enter(Run(source: source, copy: copy))
  }

  private func copyData(of source: RawStruct, to copy: RawStructBuilder) {
    unsafe copy.data.copyMemory(
      from: source.data, byteCount: min(Int(source.dataBits) / 8, copy.layout.dataBytes))
  }
}

extension RawListBuilder {
  /// The struct as a list of one.
  fileprivate init(_ structure: RawStructBuilder) { self.init(RawList(of: structure.reader)) }
}
