// Safety. Zeroes objects of our own message that a pointer no longer leads to, so that what was
// overwritten does not go out on the wire. Bounds are those that the reading side has checked.

/// An object or capability of our own message that no pointer leads to any more.
@safe @usableFromInline
@frozen struct OrphanedObject {
  /// Its descriptor, of which the offset means nothing, and its place.
  @usableFromInline var target: RawTarget
}

extension RawPointerBuilder {
  /// Zeroes the object that the pointer leads to, its landing pads, and the pointer.
  @usableFromInline @inline(never)
  func erase() {
    guard let object = detach() else { return }
    object.erase()
  }

  /// Makes the pointer null and zeroes its landing pads. The object, if there is one, is still as it
  /// was, for who reads it until it is erased, or adopts it.
  func detach() -> OrphanedObject? {
    guard !word.isNull else { return nil }
    let target = try? reader.target()
    eraseFar()
    self.word = WirePointer(0)
    return target.map { OrphanedObject(target: $0) }
  }

  /// Zeroes the landing pads that the pointer leads through.
  func eraseFar() {
    let word = self.word
    guard word.kind == 2, let pad = unsafe try? reader.segmentNamed(word.farSegment) else { return }
    unsafe (pad.pointee.start + word.farOffset * 8).initializeMemory(
      as: UInt8.self, repeating: 0, count: word.isDoubleFar ? 16 : 8)
  }
}

extension OrphanedObject {
  /// Zeroes the object and all that it leads to, and lets go of the capabilities in it. That may run
  /// code of others, which may build in this message: so it comes last.
  func erase() {
    eraseWords()
    letGoOfDropped()
  }

  /// Lets go of the capabilities that what was erased has named.
  func letGoOfDropped() {
    unsafe target.segment.pointee.arena.pointee.owner.takeUnretainedValue().letGoOfDropped()
  }

  /// Zeroes the object and all that it leads to, however deep: without recursion, as nothing bounds
  /// the depth of what a program builds. Releases nothing.
  func eraseWords() {
    var pending = [self]
    while let object = pending.popLast() { object.eraseWords(pushing: &pending) }
  }

  private func eraseWords(pushing pending: inout [OrphanedObject]) {
    if target.word.isNull { return }
    if target.word.isCapability {
      // Else the peer would be sent a capability that the message does not name any more.
      let arena = unsafe target.segment.pointee.arena.pointee.owner.takeUnretainedValue()
      arena.dropCapability(target.word.capabilityIndex)
    } else if target.word.kind == 0 {
      guard let object = try? target.structure(nesting: 1) else { return }
      object.detachPointers(to: &pending)
      unsafe object.data.initializeMemory(
        as: UInt8.self, repeating: 0, count: target.word.layout.words * 8)
    } else if target.word.kind == 1, let list = try? target.list(nesting: 1) {
      if list.pointers > 0 {
        for index in 0..<list.count { list.structure(index).detachPointers(to: &pending) }
      }
      if list.size == .inlineComposite {
        unsafe (list.start - 8).initializeMemory(
          as: UInt8.self, repeating: 0, count: target.word.listCount * 8 + 8)
      } else {
        let words = (list.count * list.step + 63) / 64
        unsafe list.start.initializeMemory(as: UInt8.self, repeating: 0, count: words * 8)
      }
    }
  }
}

extension RawStruct {
  /// Makes the struct's pointers null and zeroes what they led to. Releases nothing.
  func erasePointers() {
    var pending: [OrphanedObject] = []
    detachPointers(to: &pending)
    for object in pending { object.eraseWords() }
  }

  fileprivate func detachPointers(to pending: inout [OrphanedObject]) {
    for index in 0..<Int(pointers) {
      let place = pointer(index)
      let pointer = unsafe RawPointerBuilder(segment: place.segment, place: place.place)
      if let object = pointer.detach() { pending.append(object) }
    }
  }
}
