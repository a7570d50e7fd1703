// Safety. As in RawBuilding.swift: reads and moves objects of our own message. The reading side's
// checks run here as well, so that an object that is not of the expected kind is found, not trusted.

extension RawPointerBuilder {
  /// The struct that the pointer leads to, enlarged to the layout if it is smaller, or a new one
  /// where the pointer is null or leads to something else.
  @usableFromInline
  func structure(_ layout: StructLayout, default value: RawPointer? = nil) -> RawStructBuilder {
    if word.isNull, let value, !value.word.isNull {
      // A default was encoded by the schema compiler: it is valid.
      try? copy(from: value)
    }
    guard !word.isNull, let target = try? reader.target(), target.word.kind == 0 else {
      return initStructure(layout)
    }
    let found = target.word.layout
    let old = unsafe RawStructBuilder(
      segment: target.segment, data: target.segment.pointee.start + target.index * 8,
      layout: found)
    let larger = found.atLeast(layout)
    return larger == found ? old : enlarge(old, to: larger)
  }

  private func enlarge(_ old: RawStructBuilder, to larger: StructLayout) -> RawStructBuilder {
    // The old words stay allocated, but nothing leads there any more.
    eraseFar()
    word = WirePointer(0)
    let new = initStructure(larger)
    new.take(old)
    return new
  }

  /// The list of structs that the pointer leads to, its elements enlarged to the layout if they are
  /// smaller; empty where the pointer is null or leads to something else.
  @usableFromInline
  func structureList(_ layout: StructLayout) -> RawListBuilder {
    guard !word.isNull, let old = try? reader.list(.inlineComposite) else {
      return unsafe .empty(segment)
    }
    let larger = old.structureLayout.atLeast(layout)
    if old.size == .inlineComposite, larger == old.structureLayout { return RawListBuilder(old) }
    // A peer's list of elements of no size may have more than fit once they have one.
    guard old.count * larger.words < Self.mostWords else { return unsafe .empty(segment) }
    eraseFar()
    word = WirePointer(0)
    let new = initStructureList(larger, count: old.count)
    new.take(old, count: old.count)
    return new
  }

  /// The list of primitives or pointers that the pointer leads to; empty where the pointer is null
  /// or its elements are of another size.
  @usableFromInline
  func list(_ size: ElementSize) -> RawListBuilder {
    guard !word.isNull, let list = try? reader.list(size) else { return unsafe .empty(segment) }
    return RawListBuilder(list)
  }

  /// Moves what the other pointer leads to here, and leaves null there. This pointer is null.
  func take(_ other: RawPointerBuilder) {
    let word = other.word
    if word.kind < 2, !word.isNull, let target = try? other.reader.target() {
      point(to: target)
    } else {
      // Far and capability pointers do not depend on their place.
      self.word = word
    }
    other.word = WirePointer(0)
  }

  /// Leads the pointer to an object that is there already: in the same segment directly, else
  /// through a landing pad beside the object, or through a double-far pad where its segment is full.
  func point(to target: RawTarget) {
    if target.word.kind == 0, target.word.layout.words == 0 {
      // There is nothing to lead to, and another offset might make the word that of null.
      word = .structure(offset: -1, layout: target.word.layout)
      return
    }
    if unsafe target.segment == segment {
      word = target.word.moved(toOffset: target.index &- reader.index &- 1)
      return
    }
    let there = unsafe target.segment
    if unsafe there.pointee.used < there.pointee.capacity {
      let index = unsafe there.pointee.used
      unsafe there.pointee.used = index + 1
      let pad = unsafe RawPointerBuilder(
        segment: there, place: there.pointee.start + index * 8)
      pad.word = target.word.moved(toOffset: target.index - index - 1)
      word = unsafe .far(segment: there.pointee.id, offset: index)
      return
    }
    let segment = unsafe segment.pointee.arena.segment(withRoomFor: 2)
    let index = unsafe segment.pointee.used
    unsafe segment.pointee.used = index + 2
    let pad = unsafe RawPointerBuilder(
      segment: segment, place: segment.pointee.start + index * 8)
    pad.word = unsafe .far(segment: there.pointee.id, offset: target.index)
    let tag = unsafe RawPointerBuilder(segment: segment, place: pad.place + 8)
    tag.word = target.word.moved(toOffset: 0)
    word = unsafe .far(segment: segment.pointee.id, offset: index, double: true)
  }
}

extension WirePointer {
  /// The same descriptor of a struct or list at another offset.
  func moved(toOffset offset: Int) -> WirePointer {
    WirePointer(bits & ~0xffff_fffc | UInt64(UInt32(truncatingIfNeeded: offset &<< 2)))
  }
}

extension RawList {
  /// Whether the elements can be read as the expected size.
  ///
  /// Encoding specification, "Lists" and "Protocol Evolution": a list of structs may be read as one
  /// of primitives or pointers and the other way round, but a list of Bool only as such.
  func fits(_ expected: ElementSize) -> Bool {
    switch expected {
    case .void: true
    case .bit: size == .bit
    case .byte, .twoBytes, .fourBytes, .eightBytes:
      size != .bit && Int(dataBits) >= expected.dataBits
    case .pointer: pointers > 0
    case .inlineComposite: size != .bit
    }
  }

  /// The layout of an element as a struct of whole words.
  var structureLayout: StructLayout {
    StructLayout(dataWords: UInt16((dataBits + 63) / 64), pointers: pointers)
  }
}

extension RawListBuilder {
  /// Moves the first elements of a list of no larger elements here, as structs, and leaves zeros
  /// there, also in its tag.
  func take(_ old: RawList, count: Int) {
    for index in 0..<count {
      let element = old.structure(index)
      let target = structure(index)
      unsafe target.data.copyMemory(from: element.data, byteCount: Int(element.dataBits) / 8)
      unsafe element.data.initializeMemory(
        as: UInt8.self, repeating: 0, count: Int(element.dataBits) / 8)
      for pointer in 0..<Int(element.pointers) {
        let place = element.pointer(pointer)
        target.pointer(pointer).take(
          unsafe RawPointerBuilder(segment: place.segment, place: place.place))
      }
    }
    if old.size == .inlineComposite {
      unsafe (old.start - 8).initializeMemory(as: UInt8.self, repeating: 0, count: 8)
    }
  }
}

extension RawStructBuilder {
  /// Moves the other struct's content, of no larger sections, here.
  func take(_ old: RawStructBuilder) {
    let bytes = Int(old.layout.dataWords) * 8
    unsafe data.copyMemory(from: old.data, byteCount: bytes)
    unsafe old.data.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    for index in 0..<Int(old.layout.pointers) { pointer(index).take(old.pointer(index)) }
  }
}
