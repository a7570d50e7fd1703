// Safety. Reads objects whose bounds were checked when they were found, and copies from them into
// objects of our own that were allocated in the same sizes or smaller ones.

// The canonical form: one segment, objects in preorder, sections and lists cut to what they need. Two
// messages of the same content have the same canonical bytes (encoding specification,
// "Canonicalization").

import Synchronization

extension AnyPointerReader {
  /// The canonical form of what the pointer leads to: the words of one segment, without a frame.
  ///
  /// - Throws: ``DecodingError``, also where there is a capability, of which there is no canonical
  ///   form.
  public func canonicalized() throws(DecodingError) -> [UInt8] {
    let size = try unsafe raw.segment.measuring { () throws(DecodingError) in try totalSize() }
    return try canonical(size) { (place, pending) in pending.append(place, raw) }
  }
}

extension TypedStructReader where Self: ~Escapable {
  /// The canonical form of the struct: the words of one segment, root pointer first, without a frame.
  ///
  /// - Throws: ``DecodingError``, also where there is a capability, of which there is no canonical
  ///   form.
  public func canonicalized() throws(DecodingError) -> [UInt8] {
    let raw = _raw.raw
    let size = try unsafe raw.segment.measuring { () throws(DecodingError) in try totalSize() }
    return try canonical(size) { (place, pending) in
      place.initStructure(raw.canonicalLayout).copyCanonical(raw, &pending)
    }
  }
}

extension SegmentPointer {
  /// Measures what is about to be read: it is counted against the traversal limit then, not twice.
  fileprivate func measuring(
    _ body: () throws(DecodingError) -> MessageSize
  ) throws(DecodingError) -> MessageSize {
    let arena = unsafe pointee.arena
    let left = unsafe arena.pointee.traversalWords.load(ordering: .relaxed)
    let size = try body()
    unsafe arena.pointee.traversalWords.store(left, ordering: .relaxed)
    return size
  }
}

private func canonical(
  _ size: MessageSize, _ start: (RawPointerBuilder, inout PendingCopies) -> Void
) throws(DecodingError) -> [UInt8] {
  guard size.capabilities == 0 else { throw .capabilityInCanonicalForm }
  // Nothing becomes larger: all fits the first segment.
  let message = MessageBuilder(firstSegmentWords: size.words + 1)
  var pending: PendingCopies = []
  start(message.root.raw, &pending)
  while let next = pending.popLast() {
    try next.target.copyCanonical(next.source, &pending)
  }
  guard message.arena.segmentCount == 1 else { throw .tooLargeForOneSegment }
  var bytes: [UInt8] = []
  unsafe message.arena.forEachSegment { unsafe bytes.append(contentsOf: $0) }
  return bytes
}

extension RawPointerBuilder {
  fileprivate func copyCanonical(
    _ source: RawPointer, _ pending: inout PendingCopies
  ) throws(DecodingError) {
    guard !source.word.isNull else { return }
    let target = try source.target()
    switch target.word.kind {
    case 0:
      let object = try target.structure(nesting: source.nesting)
      initStructure(object.canonicalLayout).copyCanonical(object, &pending)
    case 1:
      let list = try target.list(nesting: source.nesting)
      if list.size == .inlineComposite {
        let layout = list.canonicalLayout
        let copy = initStructureList(layout, count: Int(list.count))
        guard layout.words > 0 else { return }
        for index in (0..<Int(list.count)).reversed() {
          copy.structure(index).copyCanonical(list.structure(index), &pending)
        }
      } else {
        initList(list.size, count: Int(list.count)).copyContent(list, &pending)
      }
    default:
      throw .capabilityInCanonicalForm
    }
  }
}

extension RawStructBuilder {
  /// Copies what this one's sections, which may be smaller, have room for.
  fileprivate func copyCanonical(_ source: RawStruct, _ pending: inout PendingCopies) {
    unsafe data.copyMemory(
      from: source.data, byteCount: min(Int(source.dataBits) / 8, layout.dataBytes))
    for index in (0..<Int(layout.pointers)).reversed() {
      pending.append(pointer(index), source.pointer(index))
    }
  }
}

extension RawStruct {
  /// The sections without zero words and null pointers at their ends.
  fileprivate var canonicalLayout: StructLayout {
    var bytes = Int(dataBits) / 8
    while bytes > 0, unsafe data.load(fromByteOffset: bytes - 1, as: UInt8.self) == 0 {
      bytes -= 1
    }
    var pointers = pointers
    while pointers > 0, pointer(Int(pointers) - 1).word.isNull { pointers -= 1 }
    return StructLayout(dataWords: UInt16((bytes + 7) / 8), pointers: pointers)
  }
}

extension RawList {
  /// The smallest sections that all elements, which are structs, fit.
  fileprivate var canonicalLayout: StructLayout {
    var layout = StructLayout(dataWords: 0, pointers: 0)
    guard step > 0 else { return layout }
    for index in 0..<Int(count) where layout != structureLayout {
      let needed = structure(index).canonicalLayout
      layout = StructLayout(
        dataWords: max(layout.dataWords, needed.dataWords),
        pointers: max(layout.pointers, needed.pointers))
    }
    return layout
  }
}

extension MessageReader {
  /// Whether the message is its own canonical form, to the byte.
  ///
  /// - Throws: ``DecodingError`` if it is invalid or exceeds the reader's limits.
  public borrowing func isCanonical() throws(DecodingError) -> Bool {
    guard segmentCount == 1 else { return false }
    return try isInCanonicalOrder(root.raw, words: arena.usedWords(inSegment: 0))
  }
}

/// Walks the objects in the order in which the canonical form has them.
private func isInCanonicalOrder(_ root: RawPointer, words: Int) throws(DecodingError) -> Bool {
  var pending: [RawPointer] = []
  func push(_ pointer: RawPointer) {
    if !pointer.word.isNull { pending.append(pointer) }
  }
  push(root)
  // The word at which the next object has to start.
  var next = 1
  while let pointer = pending.popLast() {
    let word = pointer.word
    guard word.kind < 2 else { return false }
    let target = try pointer.target()
    if word.kind == 0 {
      let object = try target.structure(nesting: pointer.nesting)
      let layout = word.layout
      guard layout.words == 0 ? word.offset == -1 : target.index == next else { return false }
      guard object.canonicalLayout == layout else { return false }
      next += layout.words
      for index in (0..<Int(layout.pointers)).reversed() { push(object.pointer(index)) }
      continue
    }
    let list = try target.list(nesting: pointer.nesting)
    guard target.index == next else { return false }
    let bits = Int(list.count) * Int(list.step)
    next += (bits + 63) / 64
    if list.size == .inlineComposite {
      guard word.listCount == bits / 64, list.canonicalLayout == list.structureLayout else {
        return false
      }
      next += 1
    } else if bits % 64 != 0 {
      // The bits past the last element.
      let last = unsafe UInt64(
        littleEndian: list.start.loadUnaligned(fromByteOffset: bits / 64 * 8, as: UInt64.self))
      guard last >> UInt64(bits % 64) == 0 else { return false }
    }
    guard list.pointers > 0 else { continue }
    for element in (0..<Int(list.count)).reversed() {
      let object = list.structure(element)
      for index in (0..<Int(object.pointers)).reversed() {
        push(object.pointer(index))
      }
    }
  }
  return next == words
}
