import CapnProto

/// The words that a text may still make of a message.
struct WordBudget {
  private let limit: Int
  private var left: Int

  init(limit: Int) {
    self.limit = limit
    left = limit
  }

  mutating func take(words: Int) throws {
    left -= words
    guard left >= 0 else { throw CodecError.Problem.tooLarge(limit: limit) }
  }

  /// For a text or data.
  mutating func take(bytes: Int) throws { try take(words: bytes / 8 + 1) }

  /// For a list of so many elements in the place.
  mutating func take(elements count: Int, of place: DynamicValue.Builder) throws {
    guard case .list(let element) = place.type else { return }
    if case .structure(let id, _) = element, let node = place.schema.nodes[id]?.structure {
      return try take(words: 1 + count * (Int(node.layout.dataWords) + Int(node.layout.pointers)))
    }
    try take(words: (count * (element.dataBits ?? 64) + 63) / 64)
  }

  /// For a struct behind a pointer in the place.
  mutating func take(structureAt place: DynamicValue.Builder) throws {
    guard case .pointer = place.place, case .structure(let id, _) = place.type,
      let node = place.schema.nodes[id]?.structure
    else { return }
    try take(words: Int(node.layout.dataWords) + Int(node.layout.pointers))
  }
}
