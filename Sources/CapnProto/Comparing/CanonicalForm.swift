// Safety. Reads objects whose bounds were checked when they were found.

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
    return try canonical(size) { (copy, place) throws(DecodingError) in
      try copy.copy(raw, to: place)
    }
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
    return try canonical(size) { (copy, place) in copy.copy(raw, to: place) }
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
  _ size: MessageSize, _ start: (inout DeepCopy, RawPointerBuilder) throws(DecodingError) -> Void
) throws(DecodingError) -> [UInt8] {
  guard size.capabilities == 0 else { throw .capabilityInCanonicalForm }
  // Nothing becomes larger: all fits the first segment.
  let message = MessageBuilder(firstSegmentWords: size.words + 1)
  let root = message.root.raw
  try DeepCopy.run(isCanonical: true) { (copy) throws(DecodingError) in try start(&copy, root) }
  guard message.arena.segmentCount == 1 else { throw .tooLargeForOneSegment }
  var bytes: [UInt8] = []
  unsafe message.arena.forEachSegment { unsafe bytes.append(contentsOf: $0) }
  return bytes
}

extension RawStruct {
  /// The sections without zero words and null pointers at their ends.
  var canonicalLayout: StructLayout {
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
  var canonicalLayout: StructLayout {
    var layout = StructLayout(dataWords: 0, pointers: 0)
    guard step > 0 else { return layout }
    for index in 0..<Int(count) where layout != structureLayout {
      layout = layout.atLeast(structure(index).canonicalLayout)
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
    var order = CanonicalOrder()
    return try order.isKept(from: root.raw, words: arena.usedWords(inSegment: 0))
  }
}

/// Whether objects lie where the canonical form has them, one after another as they are led to.
private struct CanonicalOrder {
  private var walk = DepthFirst<RawList>()
  /// The word at which the next object has to start.
  private var next = 1

  /// Whether all that the root leads to fills the words, and is cut to what it needs.
  mutating func isKept(from root: RawPointer, words: Int) throws(DecodingError) -> Bool {
    if !root.word.isNull {
      guard try visit(root) else { return false }
    }
    while let pointer = walk.next() {
      guard try visit(pointer) else { return false }
    }
    return next == words
  }

  private mutating func visit(_ pointer: RawPointer) throws(DecodingError) -> Bool {
    guard pointer.word.kind < 2 else { return false }
    let target = try pointer.target()
    return pointer.word.kind == 0
      ? visit(try target.structure(nesting: pointer.nesting), at: target.index, pointer.word)
      : visit(try target.list(nesting: pointer.nesting), at: target.index, pointer.word)
  }

  private mutating func visit(_ object: RawStruct, at index: Int, _ word: WirePointer) -> Bool {
    let layout = word.layout
    guard layout.words == 0 ? word.offset == -1 : index == next else { return false }
    guard object.canonicalLayout == layout else { return false }
    next += layout.words
    walk.enter(RawList(of: object))
    return true
  }

  private mutating func visit(_ list: RawList, at index: Int, _ word: WirePointer) -> Bool {
    guard index == next else { return false }
    let bits = list.count * list.step
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
    walk.enter(list)
    return true
  }
}
