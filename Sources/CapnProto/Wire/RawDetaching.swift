// Safety. As in RawBuilding.swift: allocates and moves objects of our own message. The reading side's
// checks run where an object's kind is not known, so that it is found, not trusted.

// Objects that no pointer leads to. The descriptor of one is kept beside its place, and becomes a
// pointer when one is led to it.

extension OrphanedObject {
  /// Nothing: what a null pointer led to.
  static func null(_ segment: SegmentPointer) -> OrphanedObject {
    unsafe OrphanedObject(target: RawTarget(segment: segment, word: WirePointer(0), index: 0))
  }

  /// New words, all zero, for an object of the descriptor.
  private init(_ word: WirePointer, words: Int, _ arena: ArenaPointer) {
    let segment = unsafe arena.segment(withRoomFor: words)
    let index = unsafe segment.pointee.used
    unsafe segment.pointee.used = index + words
    if words == 0 { unsafe segment.pointee.lastEmpty = index }
    target = unsafe RawTarget(segment: segment, word: word, index: index)
  }

  /// A new struct, all zero.
  init(structure layout: StructLayout, _ arena: ArenaPointer) {
    unsafe self.init(
      .structure(offset: layout.words == 0 ? -1 : 0, layout: layout), words: layout.words, arena)
  }

  /// A new list, all zero or null.
  init(list size: ElementSize, count: Int, _ arena: ArenaPointer) {
    precondition(count >= 0 && count < 1 << 29, "a list has at most 2^29 - 1 elements")
    unsafe self.init(
      .list(offset: 0, size: size, count: count), words: (count * size.stepBits + 63) / 64, arena)
  }

  /// A new list of structs, all zero.
  init(structureList layout: StructLayout, count: Int, _ arena: ArenaPointer) {
    precondition(count >= 0 && count < 1 << 29, "a list has at most 2^29 - 1 elements")
    let words = count * layout.words
    precondition(
      words < RawPointerBuilder.mostWords, "a list of structs has at most 2^29 - 3 words")
    unsafe self.init(
      .list(offset: 0, size: .inlineComposite, count: words), words: words + 1, arena)
    writeTag(.structure(offset: count, layout: layout))
  }

  private func writeTag(_ tag: WirePointer) {
    unsafe start.storeBytes(of: tag.bits.littleEndian, as: UInt64.self)
  }

  /// The first word of the object.
  var start: UnsafeMutableRawPointer { unsafe target.segment.pointee.start + target.index * 8 }

  private var arena: ArenaPointer { unsafe target.segment.pointee.arena }

  /// Whether the object lies in the message of the arena.
  func isIn(_ segment: SegmentPointer) -> Bool {
    unsafe segment.pointee.arena == target.segment.pointee.arena
  }

  /// The struct, enlarged to the layout if it is smaller; a new one where there is none.
  mutating func structure(_ layout: StructLayout) -> RawStructBuilder {
    if target.word.isNull || target.word.kind != 0 {
      erase()
      unsafe self = OrphanedObject(structure: layout, arena)
    }
    let old = builder
    let larger = old.layout.atLeast(layout)
    guard larger != old.layout else { return old }
    unsafe self = OrphanedObject(structure: larger, arena)
    builder.take(old)
    return builder
  }

  /// The struct that the object is.
  var builder: RawStructBuilder {
    unsafe RawStructBuilder(segment: target.segment, data: start, layout: target.word.layout)
  }

  /// The list, whatever its elements are, or nil where this is none.
  var list: RawList? { target.word.kind == 1 ? try? target.list(nesting: .max) : nil }

  /// The list of primitives or pointers; empty where this is none of such elements.
  func list(_ size: ElementSize) -> RawListBuilder {
    guard let list, list.fits(size) else { return unsafe .empty(target.segment) }
    return RawListBuilder(list)
  }

  /// The list of structs, enlarged to the layout if they are smaller; empty where this is none.
  mutating func structureList(_ layout: StructLayout) -> RawListBuilder {
    guard let old = list, old.fits(.inlineComposite) else { return unsafe .empty(target.segment) }
    let larger = old.structureLayout.atLeast(layout)
    if old.size == .inlineComposite, larger == old.structureLayout { return RawListBuilder(old) }
    guard old.count * larger.words < RawPointerBuilder.mostWords else {
      return unsafe .empty(target.segment)
    }
    return move(old, to: larger, count: old.count)
  }

  private mutating func move(
    _ old: RawList, to layout: StructLayout, count: Int
  ) -> RawListBuilder {
    unsafe self = OrphanedObject(structureList: layout, count: count, arena)
    let new = list(.inlineComposite)
    new.take(old, count: min(count, old.count))
    return new
  }
}

// What follows changes the count of a list. Its end moves within its segment where it is the last
// object there; else words past the end are left behind as zeros, and a list that grows moves.

extension OrphanedObject {
  /// Makes the list one of so many elements: what is cut off is erased, what is new is zero or null.
  mutating func resize(to count: Int) {
    guard let old = list else { return }
    precondition(count >= 0 && count < 1 << 29, "a list has at most 2^29 - 1 elements")
    let kept = min(count, old.count)
    if old.pointers > 0 {
      for index in kept..<old.count { old.structure(index).erasePointers() }
    }
    let composite = old.size == .inlineComposite
    let layout = old.structureLayout
    let words = (count * old.step + 63) / 64
    precondition(
      !composite || words < RawPointerBuilder.mostWords,
      "a list of structs has at most 2^29 - 3 words")
    let oldWords = composite ? target.word.listCount : (old.count * old.step + 63) / 64
    eraseTail(from: kept * old.step, to: oldWords * 64, in: old)
    if setEnd(from: oldWords, to: words, tag: composite ? 1 : 0) {
      target = unsafe RawTarget(
        segment: target.segment,
        word: .list(offset: 0, size: old.size, count: composite ? words : count),
        index: target.index)
      if composite { writeTag(.structure(offset: count, layout: layout)) }
    } else if composite {
      _ = move(old, to: layout, count: count)
    } else {
      moveElements(old, count: count)
    }
    letGoOfDropped()
  }

  /// Zeroes bits of the list's elements.
  private func eraseTail(from first: Int, to last: Int, in list: RawList) {
    guard first < last else { return }
    if first % 8 != 0 {
      let byte = unsafe list.start.load(fromByteOffset: first / 8, as: UInt8.self)
      unsafe list.start.storeBytes(
        of: byte & (1 << UInt8(first % 8) - 1), toByteOffset: first / 8, as: UInt8.self)
    }
    let start = (first + 7) / 8
    unsafe (list.start + start).initializeMemory(
      as: UInt8.self, repeating: 0, count: last / 8 - start)
  }

  /// Moves the object's end, where that is possible without moving the object.
  private func setEnd(from old: Int, to new: Int, tag: Int) -> Bool {
    let segment = unsafe target.segment
    let end = target.index + tag + new
    if unsafe target.index + tag + old == segment.pointee.used,
      unsafe end <= segment.pointee.capacity, unsafe end >= segment.pointee.lastEmpty
    {
      // Words past the end are zero: they never were in use, or were zeroed above.
      unsafe segment.pointee.used = end
      if end == target.index { unsafe segment.pointee.lastEmpty = end }
      return true
    }
    return new <= old
  }

  /// Moves a list of primitives or pointers to a new one of a larger count.
  private mutating func moveElements(_ old: RawList, count: Int) {
    unsafe self = OrphanedObject(list: old.size, count: count, arena)
    if old.size == .pointer {
      let new = list(.pointer)
      for index in 0..<old.count {
        let place = old.pointer(index)
        new.pointer(index).take(
          unsafe RawPointerBuilder(segment: place.segment, place: place.place))
      }
    } else {
      let bytes = (old.count * old.step + 7) / 8
      unsafe start.copyMemory(from: old.start, byteCount: bytes)
      unsafe old.start.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    }
  }
}

extension RawPointerBuilder {
  /// Leads the pointer to the object, which is of the same message; what it led to is erased.
  func adopt(_ object: OrphanedObject) {
    precondition(unsafe object.isIn(segment), "an orphan is adopted in its own message")
    if !word.isNull { erase() }
    if object.target.word.isNull || object.target.word.kind == 3 {
      word = object.target.word
    } else {
      point(to: object.target)
    }
  }
}
