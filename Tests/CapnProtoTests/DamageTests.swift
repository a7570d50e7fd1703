import CapnProto
import Testing

/// Messages with bits flipped at random, read and copied in full: an error at most.
@Suite(.serialized) struct DamageTests {
  /// Numbers that are the same in each run.
  struct Numbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ (state >> 29)
    }
  }

  static let limits = ReaderLimits(traversalWords: 20_000, nestingDepth: 20)

  /// Reads all that there is, whatever its type, and returns a sum that depends on every byte.
  static func visit(_ pointer: AnyPointerReader, _ sum: inout UInt64) throws {
    switch try pointer.kind {
    case .structure: try visit(pointer.structure(), &sum)
    case .list:
      if let text = try? pointer.text().string { sum &+= UInt64(text.utf8.count) }
      let list = try pointer.anyList()
      for index in 0..<list.count { try visit(list.structure(index), &sum) }
      if let bools = try? pointer.list(of: Bool.self) { bools.forEach { sum &+= $0 ? 1 : 0 } }
      if let words = try? pointer.list(of: UInt64.self) { words.forEach { sum &+= $0 } }
      if let bytes = try? pointer.list(of: UInt8.self) { bytes.forEach { sum &+= UInt64($0) } }
    default: _ = try? pointer.capability()
    }
  }

  static func visit(_ object: StructReader, _ sum: inout UInt64) throws {
    let layout = object.layout
    for index in 0..<Int(layout.dataWords) { sum &+= object.read(index, as: UInt64.self) }
    for index in 0..<Int(layout.pointers) {
      do { try visit(object.pointer(index), &sum) } catch DecodingError.pointerOutOfBounds {
        sum &+= 1
      }
    }
  }

  static func readAll(_ bytes: [UInt8]) throws {
    let message = try MessageReader(
      flat: bytes, frameLimits: FrameLimits(words: 1 << 20, segments: 64), limits: limits)
    var sum: UInt64 = 0
    try visit(message.root, &sum)
  }

  static func copyAll(_ bytes: [UInt8]) throws {
    try MessageReader.read(flat: bytes.rawSpan, limits: limits) { message in
      let copy = tinyMessage()
      defer {
        // What was copied until an error is sound, and is erased.
        let all = copy.words
        #expect(all < 200_000)
        copy.root.clear()
      }
      try copy.root.set(message.root)
      // Builders over it take it for what it is not.
      _ = copy.root.list(of: Large.Builder.self)
      let sample = copy.root(as: Sample.Builder.self)
      _ = sample.children.count
      _ = sample.text
      sample.child.text = "new"
    }
  }

  @Test(arguments: [1, 20, 1000]) func damagedMessages(firstSegmentWords: Int) {
    let message = MessageBuilder(firstSegmentWords: firstSegmentWords)
    fill(message.initRoot(as: Sample.Builder.self))
    let sound = message.flattened()
    var numbers = Numbers(state: UInt64(firstSegmentWords))
    var failures = 0
    for _ in 0..<1500 {
      var bytes = sound
      for _ in 0...Int.random(in: 0..<4, using: &numbers) {
        let place = Int.random(in: 0..<bytes.count, using: &numbers)
        bytes[place] = UInt8.random(in: .min ... .max, using: &numbers)
      }
      do { try Self.readAll(bytes) } catch { failures += 1 }
      do { try Self.copyAll(bytes) } catch { failures += 1 }
    }
    #expect(failures > 100)
  }

  @Test func noise() {
    var numbers = Numbers(state: 9)
    for _ in 0..<3000 {
      // Words that are likely to be pointers that stay near.
      let words = (0..<16).map { _ in
        numbers.next() & 0x0003_0003_0000_003f | (numbers.next() & 1 == 0 ? 0xffff_ffc0 : 0)
      }
      let bytes = frame([Array(words[..<8]), Array(words[8...])])
      try? Self.readAll(bytes)
      try? Self.copyAll(bytes)
    }
  }
}
