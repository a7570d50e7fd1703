import Foundation
import Testing

@testable import CapnProto

/// Memory that serves one message after another carries nothing over.
@Suite struct ReuseTests {
  @Test(arguments: OverwritingTests.sizes) func clearedBuilderStartsAnew(firstSegmentWords: Int) {
    var message = MessageBuilder(firstSegmentWords: firstSegmentWords)
    fill(message.initRoot(as: Sample.Builder.self))
    message.root.clear()
    message.initRoot(as: Sample.Builder.self).any.setCapability(Hook("a"))
    let fresh = MessageBuilder(firstSegmentWords: firstSegmentWords)
    fill(fresh.initRoot(as: Sample.Builder.self))
    message.clear()
    #expect(words(of: message) == [[0]])
    #expect(message.capabilities.isEmpty)
    fill(message.initRoot(as: Sample.Builder.self))
    #expect(message.flattened() == fresh.flattened())
  }

  /// More messages at a time than the pool keeps, of sizes below, in and above what it serves.
  @Test(arguments: [100, 128, 1000, 1024, 1025]) func freedMessagesLeaveZeroes(words count: Int) {
    for _ in 0..<3 {
      let first = fullMessage(words: count)
      let second = fullMessage(words: count)
      let third = fullMessage(words: count)
      #expect(first.words == count && second.words == count && third.words == count)
    }
  }

  /// A segment for bytes is not cleared where they will lie, and the heap gives back what had others.
  @Test(arguments: [64 << 10, (64 << 10) + 1, (64 << 10) + 7, 1 << 20])
  func `a segment that bytes begin is zero around them`(count: Int) {
    let used = Array(repeating: UInt8(0xaa), count: count)
    for _ in 0..<3 {
      let dirty = MessageBuilder(firstSegmentWords: 1)
      dirty.root.setData([UInt8](repeating: 0xff, count: 2 * count))
    }
    let message = MessageBuilder(firstSegmentWords: 1)
    message.root.setText(utf8: used.span)
    let padded = used + [UInt8](repeating: 0, count: 8 - count % 8)
    #expect(Array(message.flattened().suffix(padded.count)) == padded)
    // The segment is twice as large as the one before, and the next object lies behind the bytes.
    let larger = MessageBuilder(firstSegmentWords: count / 10)
    let list = larger.root.initList(of: DataType.self, count: count / 10 - 1)
    list[0] = used
    list[1] = [UInt8](repeating: 1, count: 9)
    #expect(words(of: larger).count == 2)
    #expect(
      Array(larger.flattened().suffix(16)) == [UInt8](repeating: 1, count: 9)
        + [UInt8](repeating: 0, count: 7))
  }

  /// Its table of segments is beside the block, and would be lost.
  @Test func messageThatHadManySegmentsIsNotKept() {
    var message = MessageBuilder(firstSegmentWords: 128)
    #expect(message.arena.isReusable)
    for power in 10..<16 { message.root.setData([UInt8](repeating: 1, count: 8 << power)) }
    #expect(words(of: message).count > 4)
    message.clear()
    #expect(!message.arena.isReusable)
  }

  @Test func reuseCarriesNoLimitOver() throws {
    let bytes = fullMessage(words: 100).flattened()
    for limit in [10, 1000, 10] {
      let limits = ReaderLimits(traversalWords: limit, nestingDepth: 64)
      let message = MessageBuilder()
      message.build(Sample.Builder.self) { $0.text = "a" }
      let reader = message.freeze(limits: limits)
      let words = try? reader.root(as: Sample.Reader.self).totalSize().words
      #expect((words == nil) == (limit == 10))
      let count = try? MessageReader.read(flat: bytes, limits: limits) { message in
        try message.root.list(of: UInt64.self).count
      }
      #expect(count == (limit == 10 ? nil : 99))
    }
  }

  @Test func reuseCarriesNoCapabilityOver() throws {
    let message = MessageBuilder()
    message.build(Sample.Builder.self) { $0.any.setCapability(Hook("a")) }
    let table = message.capabilities
    var reader = message.freeze()
    reader.setCapabilities(table)
    _ = consume reader
    let next = MessageBuilder()
    #expect(next.capabilities.isEmpty)
    let isNull = next.root.isNull
    #expect(isNull)
  }

  @Test func keptMessageIsNotReused() throws {
    for _ in 0..<4 {
      let message = MessageBuilder()
      message.build(Sample.Builder.self) { $0.text = "kept" }
      let reader = message.freeze()
      let kept = try Ref<Sample.Reader>(reader)
      let others = (0..<3).map { _ in fullMessage(words: 1000).words }
      #expect(others == [1000, 1000, 1000])
      let text = try kept.reader.text.string
      #expect(text == "kept")
    }
  }

  private func fullMessage(words count: Int) -> MessageBuilder {
    let message = MessageBuilder(firstSegmentWords: count)
    let isRight = writeOverZeroes(message, count: count - 1, value: .max)
    #expect(isRight)
    return message
  }

  /// Whether a new list was zero, and holds the value everywhere once it is written.
  private func writeOverZeroes(
    _ message: borrowing MessageBuilder, count: Int, value: UInt64
  ) -> Bool {
    let numbers = message.root.initList(of: UInt64.self, count: count)
    var isRight = true
    for index in numbers.indices {
      isRight = isRight && numbers[index] == 0
      numbers[index] = value
    }
    for index in numbers.indices { isRight = isRight && numbers[index] == value }
    return isRight
  }

  @Test func messagesOfManyThreadsDoNotMeet() async {
    await withTaskGroup(of: Bool.self) { group in
      for task in 0..<8 {
        group.addTask {
          (0..<500).allSatisfy { round in
            writeOverZeroes(
              MessageBuilder(), count: 200, value: UInt64(task * 1000 + round + 1))
          }
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }

  /// A thread that has just given memory back has no part in the message that another one builds
  /// there. More threads than processors, so that some stop in between.
  @Test func messageLetsGoOfItsCapabilitiesOnItsOwnThread() async {
    let late = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          await withCheckedContinuation { ended in
            Thread.detachNewThread {
              ended.resume(returning: Self.lateReleases(for: .seconds(1)))
            }
          }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(late == 0)
  }

  /// How many capabilities outlived the message that held them.
  private static func lateReleases(for time: Duration) -> Int {
    let end = ContinuousClock.now + time
    var late = 0
    while ContinuousClock.now < end {
      for _ in 0..<100 {
        let watch = Watch(build())
        if watch.hook != nil { late += 1 }
      }
    }
    return late
  }

  private struct Watch {
    weak var hook: Hook?
    init(_ hook: Hook) { self.hook = hook }
  }

  /// Builds a message with a capability, and lets go of both.
  @inline(never)
  private static func build() -> Hook {
    let hook = Hook("watched")
    let message = MessageBuilder()
    message.root.setCapability(hook)
    return hook
  }
}
