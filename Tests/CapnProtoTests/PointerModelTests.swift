import CapnProto
import Testing

/// Random pointers, most of them wrong, against a model that does all with plain integers: what is
/// read inline and out of line, by the pointer and by its index in a struct, has to be the same.
@Suite struct PointerModelTests {
  @Test(arguments: 0..<8) func randomPointersAreReadAsTheModelSays(seed: UInt64) throws {
    var numbers = Numbers(state: seed)
    var seen: Set<String> = []
    for _ in 0..<2_000 {
      let words = numbers.segment()
      let limits = ReaderLimits(
        traversalWords: numbers.below(4) == 0 ? 2 + numbers.below(12) : 1000,
        nestingDepth: numbers.below(4) == 0 ? 1 : 3)
      let model = Model(words: words, limits: limits)
      let field = numbers.below(3)
      for kind in Kind.allCases {
        let expected = model.read(kind, field)
        let message = try MessageReader(flat: frame([words]), limits: limits)
        let byIndex = outcome { try kind.read(message.root.structure(), field) }
        let again = try MessageReader(flat: frame([words]), limits: limits)
        let byPointer = outcome { try kind.read(again.root.structure().pointer(field)) }
        #expect(byIndex == expected, "\(kind) \(field) of \(words), \(limits)")
        #expect(byPointer == expected, "\(kind) \(field) of \(words), \(limits)")
        if byIndex != expected || byPointer != expected { return }
        seen.insert("\(kind) \(expected.error.map { "\($0)" } ?? "good")")
      }
    }
    // Each outcome came up, the good ones too.
    #expect(Kind.allCases.allSatisfy { seen.contains("\($0) good") })
    let limits = [DecodingError.traversalLimitExceeded, .nestingLimitExceeded]
    for error in [.pointerOutOfBounds] + limits {
      #expect(seen.contains("\(Kind.structure) \(error)"))
      #expect(seen.contains("\(Kind.list) \(error)"))
    }
    #expect(seen.contains("\(Kind.list) \(DecodingError.invalidListTag)"))
    #expect(seen.contains("\(Kind.text) \(DecodingError.textNotTerminated)"))
  }

  private func outcome(_ read: () throws -> [UInt64]) -> Outcome {
    do {
      return Outcome(content: try read(), error: nil)
    } catch {
      return Outcome(content: [], error: error as? DecodingError)
    }
  }
}

private struct Outcome: Equatable {
  /// What is there to be read: data, sizes, bytes.
  var content: [UInt64]
  var error: DecodingError?
}

private enum Kind: CaseIterable {
  case structure, list, text, data

  func read(_ reader: StructReader, _ index: Int) throws -> [UInt64] {
    switch self {
    case .structure: content(of: try reader.readStructure(index, as: StructReader.self))
    case .list: content(of: try reader.readList(index, of: StructReader.self)._list)
    case .text: content(of: try reader.readText(index).bytes)
    case .data: content(of: try reader.readData(index).bytes)
    }
  }

  func read(_ pointer: AnyPointerReader) throws -> [UInt64] {
    switch self {
    case .structure: content(of: try pointer.structure())
    case .list: content(of: try pointer.list(of: StructReader.self)._list)
    case .text: content(of: try pointer.text().bytes)
    case .data: content(of: try pointer.data().bytes)
    }
  }

  private func content(of reader: StructReader) -> [UInt64] {
    let layout = reader.layout
    let words = (0..<Int(layout.dataWords)).map { reader.read($0) as UInt64 }
    return [UInt64(layout.dataWords), UInt64(layout.pointers)] + words
  }

  private func content(of list: AnyListReader) -> [UInt64] {
    var all = [UInt64(list.count)]
    for index in 0..<min(list.count, 8) { all += content(of: list.structure(index)) }
    return all
  }

  private func content(of bytes: Span<UInt8>) -> [UInt64] {
    bytes.indices.map { UInt64(bytes[$0]) }
  }
}

/// The encoding specification, for pointers in the only segment; far ones lead to another.
private struct Model {
  let words: [UInt64]
  let limits: ReaderLimits

  func read(_ kind: Kind, _ field: Int) -> Outcome {
    // The root: a struct of no data and two pointers, right behind its pointer.
    guard limits.traversalWords >= 2 else { return failure(.traversalLimitExceeded) }
    guard field < 2, words[1 + field] != 0 else {
      return Outcome(
        content: kind == .structure ? [0, 0] : kind == .list ? [0] : [], error: nil)
    }
    let word = words[1 + field]
    if word & 3 == 2 { return failure(.unknownSegment(id: UInt32(word >> 32))) }
    let start = 2 + field + Int(Int32(truncatingIfNeeded: word) >> 2)
    let left = limits.traversalWords - 2
    switch kind {
    case .structure: return structure(word, start, left)
    case .list: return list(word, start, left)
    case .text, .data: return bytes(word, start, left, isText: kind == .text)
    }
  }

  private func failure(_ error: DecodingError) -> Outcome { Outcome(content: [], error: error) }

  private func found(_ word: UInt64) -> PointerKind {
    switch word & 3 {
    case 0: .structure
    case 1: .list
    default: .capability
    }
  }

  private func fault(_ start: Int, _ count: Int, _ left: Int) -> DecodingError? {
    if start < 0 || start + count > words.count { return .pointerOutOfBounds }
    return count > left ? .traversalLimitExceeded : nil
  }

  private func structure(_ word: UInt64, _ start: Int, _ left: Int) -> Outcome {
    guard word & 3 == 0 else {
      return failure(.unexpectedPointer(expected: .structure, found: found(word)))
    }
    guard limits.nestingDepth > 1 else { return failure(.nestingLimitExceeded) }
    let data = Int(word >> 32 & 0xffff)
    let pointers = Int(word >> 48)
    if let error = fault(start, data + pointers, left) { return failure(error) }
    return Outcome(
      content: [UInt64(data), UInt64(pointers)] + words[start..<start + data], error: nil)
  }

  private func list(_ word: UInt64, _ start: Int, _ left: Int) -> Outcome {
    guard word & 3 == 1 else {
      return failure(.unexpectedPointer(expected: .list, found: found(word)))
    }
    guard limits.nestingDepth > 1 else { return failure(.nestingLimitExceeded) }
    let count = Int(word >> 35)
    let code = UInt8(word >> 32 & 7)
    if code == 7 { return structs(start, count, left) }
    let bits = [0, 1, 8, 16, 32, 64, 64][Int(code)]
    let size = (count * bits + 63) / 64
    if let error = fault(start, size, left) { return failure(error) }
    if code == 0, count > left { return failure(.traversalLimitExceeded) }
    if code == 1 {
      return failure(.incompatibleList(expected: .inlineComposite, found: .bit))
    }
    var content = [UInt64(count)]
    for index in 0..<min(count, 8) {
      switch code {
      case 0: content += [0, 0]
      case 6: content += [0, 1]
      // Less than a word is no whole number to be read.
      case 5: content += [1, 0, words[start + index]]
      default: content += [1, 0, 0]
      }
    }
    return Outcome(content: content, error: nil)
  }

  private func structs(_ start: Int, _ count: Int, _ left: Int) -> Outcome {
    if let error = fault(start, count + 1, left) { return failure(error) }
    let tag = words[start]
    let elements = Int(UInt32(truncatingIfNeeded: tag) >> 2)
    let data = Int(tag >> 32 & 0xffff)
    let step = data + Int(tag >> 48)
    guard tag & 3 == 0, elements < 1 << 29, elements * step <= count else {
      return failure(.invalidListTag)
    }
    if step == 0, elements > left - count - 1 { return failure(.traversalLimitExceeded) }
    var content = [UInt64(elements)]
    for index in 0..<min(elements, 8) {
      let first = start + 1 + index * step
      content += [UInt64(data), UInt64(step - data)] + words[first..<first + data]
    }
    return Outcome(content: content, error: nil)
  }

  private func bytes(_ word: UInt64, _ start: Int, _ left: Int, isText: Bool) -> Outcome {
    guard word & 3 == 1 else {
      return failure(.unexpectedPointer(expected: .list, found: found(word)))
    }
    let code = UInt8(word >> 32 & 7)
    guard code == 2 else {
      return failure(
        .incompatibleList(expected: .byte, found: ElementSize(rawValue: code) ?? .void))
    }
    let count = Int(word >> 35)
    if let error = fault(start, (count + 7) / 8, left) { return failure(error) }
    var all = (0..<count).map { words[start + $0 / 8] >> UInt64($0 % 8 * 8) & 0xff }
    guard isText else { return Outcome(content: all, error: nil) }
    guard all.popLast() == 0 else { return failure(.textNotTerminated) }
    return Outcome(content: all, error: nil)
  }
}

private struct Numbers {
  var state: UInt64

  mutating func below(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(limit))
  }

  /// The root, its two pointers, and what they may lead to.
  mutating func segment() -> [UInt64] {
    var words = [structure(0, data: 0, pointers: 2), pointer(), pointer()]
    for _ in 0..<below(8) {
      // A tag, two short texts, or data.
      switch below(4) {
      case 0: words.append(tag(count: below(4), data: UInt16(below(3)), pointers: UInt16(below(3))))
      case 1: words.append(characters("text"))
      case 2: words.append(pointer())
      default: words.append(0)
      }
    }
    return words
  }

  private mutating func pointer() -> UInt64 {
    if below(12) == 0 { return 0 }
    let extremes = [-(1 << 29), 1 << 29 - 1, -(1 << 28), 1 << 28]
    let offset = below(16) == 0 ? extremes[below(4)] : below(12) - 4
    if below(2) == 0 {
      let most = below(8) == 0 ? 1 << 16 : 4
      let word = structure(offset, data: UInt16(below(most)), pointers: UInt16(below(most)))
      let kind = UInt64(below(8) == 0 ? below(4) : 0)
      return kind == 2 ? far(1 + UInt32(below(2)), UInt32(below(4))) : word | kind
    }
    let size = [ElementSize.byte, .byte, .inlineComposite, .inlineComposite][below(4)]
    let other = ElementSize(rawValue: UInt8(below(8))) ?? .void
    let count = below(16) == 0 ? 1 << 29 - 1 - below(9) : below(size == .byte ? 40 : 8)
    return list(offset, below(4) == 0 ? other : size, UInt64(count))
  }
}
