// Safety. Compares bytes of two lists or structs; the bounds of each were checked when it was found,
// and what is compared is the part that both have.

/// Whether two objects of messages have the same content.
public enum StructuralEquality: Hashable, Sendable {
  /// They do.
  case equal
  /// They do not.
  case notEqual
  /// They do but for capabilities, of which the encoding cannot tell whether they are the same.
  case unknownContainsCapabilities
}

extension AnyPointerReader {
  /// Whether this pointer and another lead to objects of the same content, in depth.
  ///
  /// Structs are the same if one has a longer section of nothing but zeros or nulls. Lists are if
  /// they have the same element size and the same elements.
  ///
  /// - Throws: ``DecodingError`` if a message is invalid or exceeds its reader's limits.
  public func equality(to other: AnyPointerReader) throws(DecodingError) -> StructuralEquality {
    var comparison = Comparison()
    guard try comparison.compare(raw, other.raw) else { return .notEqual }
    return try comparison.result()
  }
}

extension TypedStructReader where Self: ~Escapable {
  /// Whether this struct and another have the same content, in depth.
  ///
  /// They are the same if one has a longer section of nothing but zeros or nulls, as the struct of a
  /// newer version has.
  ///
  /// - Throws: ``DecodingError`` if a message is invalid or exceeds its reader's limits.
  public func equality(to other: Self) throws(DecodingError) -> StructuralEquality {
    var comparison = Comparison()
    guard comparison.compare(_raw.raw, other._raw.raw) else { return .notEqual }
    return try comparison.result()
  }
}

extension AnyListReader {
  /// Whether this list and another have elements of the same size and content, in depth.
  ///
  /// - Throws: ``DecodingError`` if a message is invalid or exceeds its reader's limits.
  public func equality(to other: AnyListReader) throws(DecodingError) -> StructuralEquality {
    var comparison = Comparison()
    guard comparison.compare(raw, other.raw) else { return .notEqual }
    return try comparison.result()
  }
}

extension ListReader where Element: ~Escapable {
  /// Whether this list and another have the same elements, in depth.
  ///
  /// - Throws: ``DecodingError`` if a message is invalid or exceeds its reader's limits.
  public func equality(to other: Self) throws(DecodingError) -> StructuralEquality {
    try _list.equality(to: other._list)
  }
}

/// A walk through two messages at once.
private struct Comparison {
  /// Pointers at the same places. One that is past the end of its section is null.
  private struct Run: PointerRun {
    let left: RawList
    let right: RawList

    var elements: Int { left.count }
    var pointersInEach: Int { Int(max(left.pointers, right.pointers)) }
    func item(_ element: Int, _ pointer: Int) -> (RawPointer, RawPointer)? {
      let pair = (
        left.structure(element).pointer(pointer), right.structure(element).pointer(pointer)
      )
      return pair.0.word.isNull && pair.1.word.isNull ? nil : pair
    }
  }

  private var walk = DepthFirst<Run>()
  private var hasCapabilities = false

  mutating func result() throws(DecodingError) -> StructuralEquality {
    while let (left, right) = walk.next() {
      guard try compare(left, right) else { return .notEqual }
    }
    return hasCapabilities ? .unknownContainsCapabilities : .equal
  }

  mutating func compare(_ left: RawPointer, _ right: RawPointer) throws(DecodingError) -> Bool {
    guard !left.word.isNull, !right.word.isNull else {
      return left.word.isNull && right.word.isNull
    }
    let (first, second) = (try left.target(), try right.target())
    guard first.word.kind == second.word.kind else { return false }
    switch first.word.kind {
    case 0:
      return compare(
        try first.structure(nesting: left.nesting), try second.structure(nesting: right.nesting))
    case 1:
      return compare(
        try first.list(nesting: left.nesting), try second.list(nesting: right.nesting))
    default:
      _ = (try left.capabilityHook(), try right.capabilityHook())
      hasCapabilities = true
      return true
    }
  }

  mutating func compare(_ left: RawStruct, _ right: RawStruct) -> Bool {
    guard left.hasData(of: right) else { return false }
    walk.enter(Run(left: RawList(of: left), right: RawList(of: right)))
    return true
  }

  mutating func compare(_ left: RawList, _ right: RawList) -> Bool {
    guard left.count == right.count else { return false }
    // Null reads as a list of no elements of another size.
    if left.count == 0 { return true }
    guard left.size == right.size else { return false }
    let bits = left.count * left.step
    switch left.size {
    case .inlineComposite:
      guard left.step > 0 || right.step > 0 else { return true }
      let isSame = (0..<left.count).allSatisfy {
        left.structure($0).hasData(of: right.structure($0))
      }
      guard isSame else { return false }
    case .pointer: break
    default:
      guard unsafe left.start.isEqual(to: right.start, count: bits / 8),
        (bits & ~7..<bits).allSatisfy({ left.loadBit($0) == right.loadBit($0) })
      else { return false }
    }
    walk.enter(Run(left: left, right: right))
    return true
  }
}

extension RawStruct {
  /// Whether the data is the same but for zeros that only one of them has room for.
  fileprivate func hasData(of other: RawStruct) -> Bool {
    let (shorter, longer) = dataBits < other.dataBits ? (self, other) : (other, self)
    let common = Int(shorter.dataBits) / 8
    return unsafe shorter.data.isEqual(to: longer.data, count: common)
      && (longer.data + common).isZero(count: Int(longer.dataBits) / 8 - common)
  }
}

extension UnsafeMutableRawPointer {
  /// Whether so many bytes are the same here and there.
  func isEqual(to other: UnsafeMutableRawPointer, count: Int) -> Bool {
    unsafe UnsafeRawBufferPointer(start: self, count: count)
      .elementsEqual(UnsafeRawBufferPointer(start: other, count: count))
  }

  /// Whether so many bytes are zero.
  func isZero(count: Int) -> Bool {
    unsafe UnsafeRawBufferPointer(start: self, count: count).allSatisfy { $0 == 0 }
  }
}
