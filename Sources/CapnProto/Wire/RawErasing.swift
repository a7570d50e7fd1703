// Safety. Zeroes objects of our own message that a pointer no longer leads to, so that what was
// overwritten does not go out on the wire. Bounds are those that the reading side has checked.

extension RawPointerBuilder {
  /// Zeroes the object that the pointer leads to, its landing pads, and the pointer.
  @usableFromInline @inline(never)
  func erase() {
    if word.kind != 3 { eraseObject() }
    eraseFar()
    word = WirePointer(0)
  }

  /// Zeroes the landing pads that the pointer leads through.
  func eraseFar() {
    let word = self.word
    guard word.kind == 2, let pad = unsafe try? reader.segmentNamed(word.farSegment) else { return }
    unsafe (pad.pointee.start + word.farOffset * 8).initializeMemory(
      as: UInt8.self, repeating: 0, count: word.isDoubleFar ? 16 : 8)
  }

  private func eraseObject() {
    guard let target = try? reader.target() else { return }
    if target.word.kind == 0 {
      guard let object = try? reader.structure() else { return }
      erasePointers(of: object)
      unsafe object.data.initializeMemory(
        as: UInt8.self, repeating: 0, count: target.word.layout.words * 8)
    } else if target.word.kind == 1, let list = try? reader.anyList() {
      if list.pointers > 0 {
        for index in 0..<Int(list.count) { erasePointers(of: list.structure(index)) }
      }
      if list.size == .inlineComposite {
        unsafe (list.start - 8).initializeMemory(
          as: UInt8.self, repeating: 0, count: target.word.listCount * 8 + 8)
      } else {
        let words = (Int(list.count) * Int(list.step) + 63) / 64
        unsafe list.start.initializeMemory(as: UInt8.self, repeating: 0, count: words * 8)
      }
    }
  }

  private func erasePointers(of object: RawStruct) {
    for index in 0..<Int(object.pointers) {
      let place = object.pointer(index)
      let pointer = unsafe RawPointerBuilder(segment: place.segment, place: place.place)
      if !pointer.word.isNull { pointer.erase() }
    }
  }
}
