import CapnProto
import Foundation
import Testing

/// What goes through all that an object leads to.
@Suite struct WalkTests {
  /// Bytes of memory that this process has used at the most.
  private static func mostMemory() throws -> Int {
    #if canImport(Darwin)
      var usage = rusage()
      unsafe getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #else
      // What getrusage tells is never less than what the parent had.
      let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
      let kibibytes = try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first)
      return try #require(Int(kibibytes)) * 1024
    #endif
  }

  /// In a process of its own, as other tests use memory too.
  @Test func memoryIsBoundedByDepth() async {
    await #expect(processExitsWith: .success) { try Self.walkListOfItself() }
  }

  private static func walkListOfItself() throws {
    // Each of the pointers leads to the list that they are in.
    let count = 1 << 18
    let words = (0...count).map { list(-$0, .pointer, UInt64(count)) }
    let limits = ReaderLimits(traversalWords: .max, nestingDepth: 64)
    let walks: [(String, (AnyPointerReader) throws -> Void)] = [
      ("totalSize", { _ = try $0.totalSize() }),
      ("equality", { _ = try $0.equality(to: $0) }),
      (
        "copy",
        {
          let copy = MessageBuilder()
          try copy.root.set($0)
        }
      ),
      (
        "orphan",
        {
          let message = MessageBuilder()
          _ = try message.orphanage.copy(of: $0, as: AnyPointerBuilder.self)
        }
      ),
    ]
    let message = try MessageReader(flat: frame([words]), limits: limits)
    for (name, walk) in walks {
      let before = try mostMemory()
      #expect(throws: DecodingError.nestingLimitExceeded) { try walk(message.root) }
      // A copy has the list at each of 64 levels. To put the pointers of each level aside would take
      // entries of four words for each, at the least.
      let used = try mostMemory() - before
      guard used < 150 * 8 * count else { throw WalkError(walk: name, bytes: used) }
    }
  }

  private struct WalkError: Error {
    let walk: String
    let bytes: Int
  }

  @Test func everyPointerIsVisitedInOrder() throws {
    // A list of structs of two pointers, of which some are null.
    let message = MessageBuilder()
    let list = message.root.initList(of: AnyPointerBuilder.self, count: 4)
    list[1].setText("one")
    guard
      let structs = list[2].initStructureList(
        layout: StructLayout(dataWords: 1, pointers: 2), count: 3)
    else {
      Issue.record("six words are no list of structs")
      return
    }
    structs.structure(0).pointer(1).setText("two")
    structs.structure(2).pointer(0).setText("three")
    structs.structure(2).pointer(1).setText("four")
    list[3].setText("five")
    let copy = MessageBuilder()
    try copy.root.set(message.root.reader)
    // In preorder, a copy has the texts in the order in which they are led to.
    let texts = ["one", "two", "three", "four", "five"].map { text in
      text.utf8.enumerated().reduce(0 as UInt64) { $0 | UInt64($1.element) << (8 * $1.offset) }
    }
    #expect(words(of: copy)[0].filter { texts.contains($0) } == texts)
    #expect(try copy.root.reader.equality(to: message.root.reader) == .equal)
    #expect(try copy.root.reader.canonicalized() == message.root.reader.canonicalized())
    copy.root.list(of: AnyPointerBuilder.self)[3].setText("size")
    #expect(try copy.root.reader.equality(to: message.root.reader) == .notEqual)
  }
}
