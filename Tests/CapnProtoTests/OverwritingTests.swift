import CapnProto
import Testing

/// What a message no longer says is not in its bytes either.
@Suite struct OverwritingTests {
  /// Messages whose first segments make objects lie in one segment, behind pads, or in both.
  static let sizes = [1, 2, 8, 60, 1000]

  @Test(arguments: sizes) func clearingLeavesZeroes(firstSegmentWords: Int) {
    let message = MessageBuilder(firstSegmentWords: firstSegmentWords)
    fill(message.initRoot(as: Sample.Builder.self))
    #expect(words(of: message).joined().contains { $0 != 0 })
    message.root.clear()
    #expect(words(of: message).joined().allSatisfy { $0 == 0 })
  }

  @Test(arguments: sizes) func overwritingLeavesTheNewOnly(firstSegmentWords: Int) throws {
    let message = MessageBuilder(firstSegmentWords: firstSegmentWords)
    let sample = message.initRoot(as: Sample.Builder.self)
    fill(sample)
    sample.text = "secret"
    sample.text = "x"
    sample.data = Array("secret".utf8)
    sample.data = []
    sample.initTexts(1)[0] = "secret"
    _ = sample.initTexts(0)
    sample.initChild().text = "secret"
    sample.initChild().text = "y"
    sample.any.initStructure(as: Small.Builder.self).text = "secret"
    sample.any.setCapability(nil)
    sample.initChildren(1)[0].text = "secret"
    _ = sample.initChildren(2)
    #expect(!message.flattened().contains(subsequence: "secret"))
    message.root.clear()
    #expect(words(of: message).joined().allSatisfy { $0 == 0 })
  }

  @Test(arguments: sizes) func upgradesLeaveNothingBehind(firstSegmentWords: Int) {
    let message = MessageBuilder(firstSegmentWords: firstSegmentWords)
    let any = message.root
    any.initStructure(as: Small.Builder.self).text = "secret"
    any.structure(as: Large.Builder.self).addedText = "secret"
    let list = any.initList(of: Small.Builder.self, count: 3)
    for index in list.indices {
      list[index].text = "secret"
      list[index].number = 1
    }
    let larger = any.list(of: Large.Builder.self)
    for index in larger.indices { larger[index].addedText = "secret" }
    any.clear()
    #expect(words(of: message).joined().allSatisfy { $0 == 0 })
    any.initList(of: UInt16.self, count: 3)[2] = 5
    any.list(of: Large.Builder.self)[1].added = 3
    any.clear()
    #expect(words(of: message).joined().allSatisfy { $0 == 0 })
  }

  @Test func copyThatFailsLeavesWhatItHadCopied() throws {
    // The first text is sound, the second is not.
    let words = [list(0, .pointer, 2), list(1, .byte, 2), list(100, .byte, 2), characters("a")]
    try reading(words) { (root) throws in
      let message = MessageBuilder()
      message.root.setText("before")
      let source = root
      #expect(throws: DecodingError.pointerOutOfBounds) { try message.root.set(source) }
      let partial = message.root.list(of: TextType.self)
      #expect(partial.count == 2)
      #expect(partial[0] == "a")
      #expect(partial[1] == "")
    }
  }

  @Test func deepStructuresAreErasedAndCopiedWithoutDeepCalls() throws {
    let message = MessageBuilder()
    func extend(_ any: AnyPointerBuilder, _ levels: Int) {
      // Each level is entered from the last one's pointer.
      var levels = levels
      var pointer = any
      while levels > 0 {
        pointer = pointer.initStructure(as: Small.Builder.self)._raw.pointer(0)
        levels -= 1
      }
    }
    extend(message.root, 60_000)
    let copy = MessageBuilder()
    try copy.root.set(message.root.reader)
    #expect(copy.words == message.words)
    extend(message.root, 500_000)
    message.root.clear()
    #expect(message.root.isNull == true)
  }
}

extension [UInt8] {
  func contains(subsequence text: String) -> Bool {
    let wanted = Array(text.utf8)
    guard count >= wanted.count else { return false }
    return (0...(count - wanted.count)).contains { Array(self[$0..<$0 + wanted.count]) == wanted }
  }
}
