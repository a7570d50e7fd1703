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
    comparison.pending.append((raw, other.raw))
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

extension ListReader where Element: ~Escapable {
  /// Whether this list and another have the same elements, in depth.
  ///
  /// - Throws: ``DecodingError`` if a message is invalid or exceeds its reader's limits.
  public func equality(to other: Self) throws(DecodingError) -> StructuralEquality {
    var comparison = Comparison()
    guard comparison.compare(_list.raw, other._list.raw) else { return .notEqual }
    return try comparison.result()
  }
}

/// Pairs that are still to be compared. No recursion: a reader's nesting limit may be set high.
private struct Comparison {
  var pending: [(RawPointer, RawPointer)] = []
  var hasCapabilities = false

  mutating func result() throws(DecodingError) -> StructuralEquality {
    while let (left, right) = pending.popLast() {
      if left.word.isNull || right.word.isNull {
        guard left.word.isNull, right.word.isNull else { return .notEqual }
        continue
      }
      let (first, second) = (try left.target(), try right.target())
      guard first.word.kind == second.word.kind else { return .notEqual }
      let same =
        switch first.word.kind {
        case 0:
          compare(
            try first.structure(nesting: left.nesting),
            try second.structure(nesting: right.nesting))
        case 1:
          compare(try first.list(nesting: left.nesting), try second.list(nesting: right.nesting))
        default: try compareCapabilities(left, right)
        }
      guard same else { return .notEqual }
    }
    return hasCapabilities ? .unknownContainsCapabilities : .equal
  }

  private mutating func compareCapabilities(
    _ left: RawPointer, _ right: RawPointer
  ) throws(DecodingError) -> Bool {
    _ = (try left.capabilityHook(), try right.capabilityHook())
    hasCapabilities = true
    return true
  }

  mutating func compare(_ left: RawStruct, _ right: RawStruct) -> Bool {
    let (shorter, longer) = left.dataBits < right.dataBits ? (left, right) : (right, left)
    let common = Int(shorter.dataBits) / 8
    guard unsafe shorter.data.isEqual(to: longer.data, count: common),
      unsafe (longer.data + common).isZero(count: Int(longer.dataBits) / 8 - common)
    else { return false }
    for index in 0..<Int(max(left.pointers, right.pointers)) {
      append(left.pointer(index), right.pointer(index))
    }
    return true
  }

  mutating func compare(_ left: RawList, _ right: RawList) -> Bool {
    guard left.count == right.count else { return false }
    // Null reads as a list of no elements of another size.
    if left.count == 0 { return true }
    guard left.size == right.size else { return false }
    let count = Int(left.count)
    switch left.size {
    case .void: return true
    case .inlineComposite:
      guard left.step > 0 || right.step > 0 else { return true }
      return (0..<count).allSatisfy { compare(left.structure($0), right.structure($0)) }
    case .pointer:
      for index in 0..<count { append(left.pointer(index), right.pointer(index)) }
      return true
    case .bit:
      guard unsafe left.start.isEqual(to: right.start, count: count / 8) else { return false }
      return (count & ~7..<count).allSatisfy { left.loadBit($0) == right.loadBit($0) }
    default:
      return unsafe left.start.isEqual(to: right.start, count: count * Int(left.step) / 8)
    }
  }

  private mutating func append(_ left: RawPointer, _ right: RawPointer) {
    if !left.word.isNull || !right.word.isNull { pending.append((left, right)) }
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
