/// A table whose owner hands out the identifiers: the lowest free one first, so that tables stay
/// dense and identifiers small (rpc.capnp, "QuestionId").
struct SlotTable<ID: TableID, Entry> {
  private var slots: [Entry?] = []
  /// A bit for each slot that is free.
  private var free: [UInt64] = []
  /// All words of `free` before this one are zero.
  private var firstFree = 0
  private(set) var count = 0

  /// Adds an entry and returns its identifier.
  mutating func add(_ entry: consuming Entry) -> ID {
    count += 1
    while firstFree < free.count, free[firstFree] == 0 { firstFree += 1 }
    if firstFree < free.count {
      let slot = firstFree * 64 + free[firstFree].trailingZeroBitCount
      free[firstFree] &= free[firstFree] - 1
      slots[slot] = entry
      return ID(rawValue: UInt32(truncatingIfNeeded: slot))
    }
    slots.append(entry)
    return ID(rawValue: UInt32(truncatingIfNeeded: slots.count - 1))
  }

  /// The entry, or nil where there is none: peers name any number.
  subscript(id: ID) -> Entry? {
    @inline(__always) get { id.rawValue < slots.count ? slots[Int(id.rawValue)] : nil }
    @inline(__always) _modify {
      guard id.rawValue < slots.count, slots[Int(id.rawValue)] != nil else {
        var none: Entry?
        yield &none
        return
      }
      yield &slots[Int(id.rawValue)]
    }
  }

  /// What the body makes of the entry where it lies; nil where there is none.
  ///
  /// The subscript gives a copy, whose counts cost more than most calls look at.
  @inline(__always)
  func look<Value>(_ id: ID, _ body: (Entry) -> Value) -> Value? {
    let index = Int(id.rawValue)
    guard index < slots.count else { return nil }
    return slots[index].look(body)
  }

  /// Lets the body change the entry where it lies, as ``look(_:_:)``.
  @inline(__always) @discardableResult
  mutating func update<Value>(_ id: ID, _ body: (inout Entry) -> Value) -> Value? {
    let index = Int(id.rawValue)
    guard index < slots.count else { return nil }
    return slots[index].update(body)
  }

  /// Removes the entry and frees its identifier.
  @discardableResult
  mutating func remove(_ id: ID) -> Entry? {
    let slot = Int(id.rawValue)
    guard slot < slots.count, let entry = slots[slot].take() else { return nil }
    let word = slot / 64
    while free.count <= word { free.append(0) }
    free[word] |= 1 << UInt64(slot % 64)
    firstFree = min(firstFree, word)
    count -= 1
    return entry
  }

  /// Identifiers in use.
  var ids: [ID] {
    slots.indices.compactMap { slots[$0] == nil ? nil : ID(rawValue: UInt32($0)) }
  }
}

extension Optional {
  /// What the body makes of the value where it lies.
  @inline(__always)
  func look<Value>(_ body: (Wrapped) -> Value) -> Value? {
    switch self {
    case .some(let value): body(value)
    case nil: nil
    }
  }

  /// Lets the body change the value where it lies.
  @inline(__always)
  mutating func update<Value>(_ body: (inout Wrapped) -> Value) -> Value? {
    guard var value = take() else { return nil }
    defer { self = value }
    return body(&value)
  }
}

extension SlotTable: Sendable where Entry: Sendable {}
