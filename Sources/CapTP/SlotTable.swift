import HeapModule

/// A table whose owner hands out the identifiers: the lowest free one first, so that tables stay
/// dense and identifiers small (rpc.capnp, "QuestionId").
struct SlotTable<ID: TableID, Entry> {
  private var slots: [Entry?] = []
  private var free = Heap<UInt32>()
  private(set) var count = 0

  /// Adds an entry and returns its identifier.
  mutating func add(_ entry: Entry) -> ID {
    count += 1
    if let slot = free.popMin() {
      slots[Int(slot)] = entry
      return ID(rawValue: slot)
    }
    slots.append(entry)
    return ID(rawValue: UInt32(truncatingIfNeeded: slots.count - 1))
  }

  /// The entry, or nil where there is none: peers name any number.
  subscript(id: ID) -> Entry? {
    get { id.rawValue < slots.count ? slots[Int(id.rawValue)] : nil }
    _modify {
      guard id.rawValue < slots.count, slots[Int(id.rawValue)] != nil else {
        var none: Entry?
        yield &none
        return
      }
      yield &slots[Int(id.rawValue)]
    }
  }

  /// Removes the entry and frees its identifier.
  @discardableResult
  mutating func remove(_ id: ID) -> Entry? {
    guard id.rawValue < slots.count, let entry = slots[Int(id.rawValue)].take() else { return nil }
    free.insert(id.rawValue)
    count -= 1
    return entry
  }

  /// Identifiers in use.
  var ids: [ID] {
    slots.indices.compactMap { slots[$0] == nil ? nil : ID(rawValue: UInt32($0)) }
  }
}

extension SlotTable: Sendable where Entry: Sendable {}
