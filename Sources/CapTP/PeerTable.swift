/// A table whose peer hands out the identifiers. It is expected to take the lowest free one first,
/// yet it may name any: those that are small have a slot each, the others are looked up.
struct PeerTable<ID: TableID, Entry> {
  private var slots: [Entry?] = []
  private var others: [ID: Entry] = [:]
  private(set) var count = 0
  /// Identifiers that have a slot: what one that is named alone may cost.
  private static var slotLimit: Int { 512 }

  /// The entry, or nil where there is none.
  subscript(id: ID) -> Entry? {
    // In place: an entry that is looked at is not copied.
    _read {
      let index = Int(id.rawValue)
      if index < slots.count {
        yield slots.span[index]
      } else {
        yield index < Self.slotLimit ? nil : others[id]
      }
    }
    _modify {
      let index = Int(id.rawValue)
      if index < Self.slotLimit {
        while slots.count <= index { slots.append(nil) }
        let wasThere = slots[index] != nil
        defer { count += (slots[index] != nil ? 1 : 0) - (wasThere ? 1 : 0) }
        yield &slots[index]
      } else {
        let before = others.count
        defer { count += others.count - before }
        yield &others[id]
      }
    }
  }

  /// Removes the entry.
  mutating func removeValue(forKey id: ID) -> Entry? { self[id].take() }

  /// The entries with their identifiers, in the order of these.
  var entries: [(ID, Entry)] {
    slots.indices.compactMap { index in
      slots[index].map { (ID(rawValue: UInt32(index)), $0) }
    } + others.map { ($0.key, $0.value) }.sorted { $0.0.rawValue < $1.0.rawValue }
  }
}

extension PeerTable: Sendable where Entry: Sendable {}
