import CapnProto
import Testing

@Suite struct TextTests {
  /// Root pointers of texts that lack their NUL, and the bytes that they have nonetheless.
  static let unterminated: [[UInt64]] = [
    [list(0, .byte, 0)],
    [list(0, .byte, 3), characters("abc")],
    [list(0, .byte, 8), characters("12345678")],
    // A NUL that is not the last byte ends nothing.
    [list(0, .byte, 4), characters("a\0bc")],
  ].map { Array($0.prefix(2)) }

  @Test(arguments: unterminated) func textWithoutNULIsAnError(words: [UInt64]) throws {
    #expect(errorReading(words) { _ = try $0.text() } == .textNotTerminated)
    try reading(words) { (root) throws in
      let copy = MessageBuilder()
      try copy.root.set(root)
      #expect(throws: DecodingError.textNotTerminated) { _ = try copy.root.reader.text() }
      #expect(copy.root.string == "")
      #expect(try copy.root.reader.data().array == root.data().array)
    }
  }

  @Test func emptyTextHasANUL() throws {
    try reading([list(0, .byte, 1), 0]) { (root) throws in
      let text = try root.text()
      #expect(text.isEmpty == true)
      #expect((text == "") == true)
      #expect(text.string == "")
      #expect(root.isNull == false)
    }
    let message = MessageBuilder()
    message.root.setText("")
    #expect(message.root.isNull == false)
    #expect(message.words == 2)
    #expect(try message.root.reader.text().isEmpty == true)
  }

  /// Lengths about each at which the copy goes another way, in a message that is all of that text.
  @Test(arguments: Array(0...34) + [60, 255], [false, true])
  func textOfAnyLengthFillsItsWordsOnly(length: Int, isReplacing: Bool) throws {
    let string = String(repeating: "aé", count: length / 3) + "xyz".prefix(length % 3)
    let bytes = Array(string.utf8)
    try #require(bytes.count == length)
    let set: [(AnyPointerBuilder) -> Void] = [
      { $0.setText(string) }, { $0.setText(utf8: bytes.span) },
      { $0.setText(String(decoding: bytes + [0], as: UTF8.self).dropLast().description) },
    ]
    for set in set {
      let message = MessageBuilder(firstSegmentWords: 2 + length / 8)
      if isReplacing { message.root.setText("old") }
      set(message.root)
      #expect(try message.root.reader.text().count == length)
      #expect(message.root.string == string)
      if !isReplacing { #expect(message.words == 2 + length / 8) }
      #expect(try message.root.reader.data().array == bytes + [0])
    }
  }

  @Test func textKeepsANULInside() throws {
    try reading([list(0, .byte, 4), characters("a\0b")]) { (root) throws in
      let text = try root.text()
      #expect((text == "a\0b") == true)
      #expect(text.string == "a\0b")
    }
    let message = MessageBuilder()
    message.root.setText("a\0b")
    #expect(message.root.string == "a\0b")
  }

  @Test func invalidUTF8IsRepairedInTheStringOnly() throws {
    try reading([list(0, .byte, 3), 0x00_fe_ff]) { (root) throws in
      let text = try root.text()
      #expect(text.bytes[0] == 0xff)
      #expect(text.string == "\u{fffd}\u{fffd}")
      #expect((text == "\u{fffd}\u{fffd}") == false)
    }
  }

  @Test func textIsNoDataOfOtherElements() {
    for size in [ElementSize.void, .bit, .twoBytes, .eightBytes, .pointer] {
      #expect(
        errorReading([list(0, size, 1), 0]) { _ = try $0.text() }
          == .incompatibleList(expected: .byte, found: size))
      #expect(
        errorReading([list(0, size, 1), 0]) { _ = try $0.data() }
          == .incompatibleList(expected: .byte, found: size))
    }
  }

  @Test(arguments: [0, 1, 6, 7, 8, 9, 100, 5000]) func textOfEachLength(count: Int) throws {
    let text = String(repeating: "x", count: count)
    let message = tinyMessage()
    let sample = message.initRoot(as: Sample.Builder.self)
    sample.text = text
    sample.data = Array(text.utf8)
    #expect(sample.text == text)
    #expect(try sample.reader.text == text)
    #expect(try sample.reader.text.count == count)
    #expect(try sample.reader.data.array == Array(text.utf8))
    let received = try MessageReader(flat: message.flattened())
    #expect(try received.root(as: Sample.Reader.self).text == text)
    #expect(try received.root(as: Sample.Reader.self).data.count == count)
  }

  @Test func bytesComeFromASpan() throws {
    let message = MessageBuilder()
    let bytes = Array("hé".utf8)
    message.root.setText(utf8: bytes.span)
    #expect(message.root.string == "hé")
    message.root.setData(bytes.span)
    #expect(message.root.array == bytes)
    // A span of the very bytes that are replaced.
    message.root.setText("one two")
    message.root.setText(utf8: try message.root.reader.text().bytes)
    #expect(message.root.string == "one two")
    message.root.setText(utf8: try message.root.reader.text().bytes.extracting(4..<7))
    #expect(message.root.string == "two")
  }
}
