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
    @inline(__always) get {
      let index = Int(id.rawValue)
      if index < slots.count { return slots[index] }
      return index < Self.slotLimit ? nil : others[id]
    }
    @inline(__always) _modify {
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

  /// What the body makes of the entry where it lies, as of `SlotTable`.
  @inline(__always)
  func look<Value>(_ id: ID, _ body: (Entry) -> Value) -> Value? {
    let index = Int(id.rawValue)
    if index < slots.count { return slots[index].look(body) }
    return index < Self.slotLimit ? nil : others[id].map(body)
  }

  /// Lets the body change the entry where it lies.
  @inline(__always) @discardableResult
  mutating func update<Value>(_ id: ID, _ body: (inout Entry) -> Value) -> Value? {
    let index = Int(id.rawValue)
    if index < slots.count { return slots[index].update(body) }
    return index < Self.slotLimit ? nil : others[id].update(body)
  }

  /// Adds the entry where there is none.
  ///
  /// - Returns: whether there was none.
  mutating func insert(_ entry: consuming Entry, at id: ID) -> Bool {
    let index = Int(id.rawValue)
    if index < Self.slotLimit {
      while slots.count <= index { slots.append(nil) }
      guard slots[index] == nil else { return false }
      slots[index] = entry
    } else {
      guard others[id] == nil else { return false }
      others[id] = entry
    }
    count += 1
    return true
  }

  /// Removes the entry.
  mutating func removeValue(forKey id: ID) -> Entry? {
    let index = Int(id.rawValue)
    let entry =
      if index < slots.count { slots[index].take() } else if index < Self.slotLimit {
        Entry?.none
      } else { others.removeValue(forKey: id) }
    if entry != nil { count -= 1 }
    return entry
  }

  /// The entries with their identifiers, in the order of these.
  var entries: [(ID, Entry)] {
    slots.indices.compactMap { index in
      slots[index].map { (ID(rawValue: UInt32(index)), $0) }
    } + others.map { ($0.key, $0.value) }.sorted { $0.0.rawValue < $1.0.rawValue }
  }
}

extension PeerTable: Sendable where Entry: Sendable {}
