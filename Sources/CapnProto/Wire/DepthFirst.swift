// What goes through all that an object leads to visits it depth-first, in preorder, without recursion,
// as a reader's nesting limit may be set high. What is still to be visited is one place in each
// object on the way down. So memory is bounded by the depth, which the nesting limit bounds: were each
// object's pointers put aside when it is entered, a list of pointers to itself would cost hundreds of
// times its size.
//
// Safety. A struct becomes a list of itself, of the same bounds within the same segment: whoever made
// the struct has checked them.

/// Pointers to be visited: those of the elements of a list, or of a struct as a list of one.
protocol PointerRun {
  /// What is visited: a pointer, or what there is at the same place of several lists.
  associatedtype Item
  /// Elements.
  var elements: Int { get }
  /// Pointers to be visited in each element.
  var pointersInEach: Int { get }
  /// The item at the place, or nil where there is none as all its pointers are null.
  func item(_ element: Int, _ pointer: Int) -> Item?
}

/// A walk along runs of pointers, each of which is entered at the pointer that leads to it.
struct DepthFirst<Run: PointerRun> {
  private struct Place {
    let run: Run
    var element = 0
    var pointer = 0

    mutating func next() -> Run.Item? {
      while element < run.elements {
        defer {
          pointer += 1
          if pointer == run.pointersInEach { (element, pointer) = (element + 1, 0) }
        }
        if let item = run.item(element, pointer) { return item }
      }
      return nil
    }
  }

  private var path: [Place] = []

  /// Goes on with the pointers of the run, before those that are left.
  mutating func enter(_ run: Run) {
    if run.pointersInEach > 0 { path.append(Place(run: run)) }
  }

  /// The next item, or nil at the end.
  mutating func next() -> Run.Item? {
    while let last = path.indices.last {
      if let item = path[last].next() { return item }
      path.removeLast()
    }
    return nil
  }
}

extension RawList {
  /// The struct as a list of one.
  init(of structure: RawStruct) {
    unsafe self.init(
      segment: structure.segment, start: structure.data, count: 1, size: .inlineComposite,
      dataBits: UInt32(truncatingIfNeeded: structure.dataBits), pointers: structure.pointers,
      nesting: structure.nesting)
  }
}

extension RawList: PointerRun {
  var elements: Int { count }
  var pointersInEach: Int { Int(pointers) }
  func item(_ element: Int, _ pointer: Int) -> RawPointer? {
    let pointer = structure(element).pointer(pointer)
    return pointer.word.isNull ? nil : pointer
  }
}
