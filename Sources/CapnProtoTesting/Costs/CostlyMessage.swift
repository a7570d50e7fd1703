import CapTP
import CapnProto

/// A message whose pointers make as much of it as they can: the bytes that it is made from decide in which
/// way.
///
/// The content is a chain of objects, in which every pointer of one leads to the next, so that it is reached
/// as often as the product of their counts says. The capability table may be of elements that are smaller
/// than descriptors, or descriptors that share what they lead to.
struct CostlyMessage {
  /// The limit of its words: 1 MiB.
  static var mostWords: Int { 131_072 }

  private var choices: ArraySlice<UInt8>
  private var words: [UInt64] = []

  /// The frame of a message that the body begins, whose payload it makes last.
  ///
  /// - Parameters:
  ///   - choices: what decides.
  ///   - build: builds the message but for the payload, which is the last object that it makes.
  /// - Returns: the frame.
  static func frame(
    _ choices: ArraySlice<UInt8>, _ build: (Message.Builder) -> Void
  ) -> [UInt8] {
    var message = CostlyMessage(choices: choices)
    message.begin(build)
    message.fillPayload()
    message.damage()
    return message.frame
  }

  private init(choices: ArraySlice<UInt8>) { self.choices = choices }

  private mutating func next() -> Int { Int(choices.popFirst() ?? 0) }

  /// A count from 0 to some 500,000, small ones as likely as large ones.
  private mutating func nextCount() -> Int {
    let choice = next()
    let exponent = choice >> 3
    return exponent == 0 ? choice & 7 : ((8 | choice & 7) << exponent) >> 3
  }

  private mutating func begin(_ build: (Message.Builder) -> Void) {
    let message = MessageBuilder(firstSegmentWords: 512)
    message.build(Message.Builder.self, build)
    let frame = message.flattened()
    for start in stride(from: 8, to: frame.count, by: 8) {
      words.append((0..<8).reduce(0) { $0 | UInt64(frame[start + $1]) << UInt64($1 * 8) })
    }
  }

  // MARK: Content

  /// Room that is left for so many words at most.
  private func room(_ count: Int) -> Int { min(count, max(0, Self.mostWords - words.count)) }

  /// Leads the pointer at the index to what comes next.
  private mutating func lead(_ index: Int, _ descriptor: UInt64) {
    words[index] = descriptor | UInt64(UInt32(truncatingIfNeeded: (words.count - 1 - index) << 2))
  }

  /// Makes the payload, which is at the end: its content and its table.
  private mutating func fillPayload() {
    let payload = words.count - 2
    var pointers = [payload]
    for level in 0..<next() % 8 {
      let count = room(max(1, nextCount()))
      guard count > 0 else { return }
      let start = words.count
      let kind = level == 0 ? 0 : next() % 3
      let isStructure = kind == 0
      let structureCount = min(count, 65_535)
      for pointer in pointers {
        lead(
          pointer,
          isStructure ? UInt64(structureCount) << 48 : 1 | 6 << 32 | UInt64(count) << 35)
      }
      words += Array(repeating: 0, count: isStructure ? structureCount : count)
      pointers = Array(start..<words.count)
      if kind == 2 { pointers = Array(pointers.prefix(1)) }
    }
    fillLeaf(pointers)
    fillTable(payload + 1)
  }

  private mutating func fillLeaf(_ pointers: [Int]) {
    let count = nextCount()
    func lead(_ descriptor: UInt64) { for pointer in pointers { self.lead(pointer, descriptor) } }
    switch next() % 10 {
    case 0: break
    case 1:
      let count = room(count)
      lead(1 | 5 << 32 | UInt64(count) << 35)
      words += Array(repeating: 0x0101_0101_0101_0101, count: count)
    case 2:
      let count = room(count)
      lead(1 | 2 << 32 | UInt64(count * 8) << 35)
      words += Array(repeating: 0x2020_2020_2020_2020, count: count)
    case 3:
      let count = room(count + 1)
      guard count > 0 else { return }
      lead(1 | 2 << 32 | UInt64(count * 8) << 35)
      words += Array(repeating: 0x6161_6161_6161_6161, count: count - 1)
      words.append(0x0061_6161_6161_6161)
    case 4: lead(1 | UInt64(min(count << (next() % 12), 1 << 29 - 1)) << 35)
    case 5:
      let layout = UInt64(next() % 4) << 32 | UInt64(next() % 3) << 48
      let size = Int(layout >> 32 & 0xffff) + Int(layout >> 48)
      let count = size == 0 ? count << (next() % 12) : room(count * size) / max(1, size)
      lead(1 | 7 << 32 | UInt64(count * size) << 35)
      words.append(layout | UInt64(min(count, 1 << 29 - 1)) << 2)
      words += Array(repeating: 0, count: count * size)
    case 6:
      let isSame = next() % 2 == 0
      let count = room(count)
      lead(1 | 6 << 32 | UInt64(count) << 35)
      for index in 0..<count { words.append(3 | UInt64(isSame ? 0 : index) << 32) }
    case 7: lead(1 | 1 << 32 | UInt64(room(count) * 64) << 35)
    case 8: for pointer in pointers { words[pointer] = 3 }
    default:
      let distinct = room(min(count, pointers.count) * 2) / 2
      for (index, pointer) in pointers.prefix(distinct).enumerated() {
        self.lead(pointer, 1 << 32 | 1 << 48)
        words += [UInt64(index), 0]
      }
    }
  }

  // MARK: Capability table

  private mutating func fillTable(_ pointer: Int) {
    let kind = next() % 7
    let count = nextCount()
    let tag = UInt64(next() % 6)
    let isSame = next() % 2 == 0
    func descriptor(_ index: Int) -> UInt64 { tag | UInt64(isSame ? 7 : index) << 32 }
    switch kind {
    case 0, 1: break
    case 2, 3:
      let count = room(count * 2 + 1) / 2
      lead(pointer, 1 | 7 << 32 | UInt64(count * 2) << 35)
      words.append(UInt64(count) << 2 | 1 << 32 | 1 << 48)
      let start = words.count
      for index in 0..<count { words += [descriptor(index), 0] }
      guard tag == 4, count > 0 else { return }
      // All lead to one PromisedAnswer, and to one path of so many steps.
      for index in 0..<count { lead(start + index * 2 + 1, 1 << 32 | 1 << 48) }
      let steps = room(nextCount())
      words += [0, 1 | 7 << 32 | UInt64(steps) << 35, UInt64(steps) << 2 | 1 << 32]
      words += Array(repeating: 0, count: steps)
    case 4:
      let count = room(count)
      lead(pointer, 1 | 5 << 32 | UInt64(count) << 35)
      for index in 0..<count { words.append(descriptor(index)) }
    case 5:
      let count = room(count)
      lead(pointer, 1 | 3 << 32 | UInt64(count * 4) << 35)
      words += Array(repeating: 0x0001_0001_0001_0001 &* tag, count: count)
    default: lead(pointer, 1 | UInt64(min(count << (next() % 12), 1 << 29 - 1)) << 35)
    }
  }

  // MARK: Damage

  /// Changes words at places that what is left of the choices names.
  private mutating func damage() {
    while choices.count >= 4 {
      let place = (next() << 8 | next()) % words.count
      words[place] ^= UInt64(next()) << UInt64(next() % 64)
    }
  }

  private var frame: [UInt8] {
    var frame: [UInt8] = []
    frame.reserveCapacity(words.count * 8 + 8)
    for word in [UInt64(words.count) << 32] + words {
      for shift in stride(from: 0, to: 64, by: 8) {
        frame.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return frame
  }
}
