import CapnProto
import Testing

/// The algorithms of `Sequence` on the lists of a message.
@Suite struct ListAlgorithmTests {
  @Test func numbersAreSearchedAndReduced() throws {
    let message = MessageBuilder()
    message.root.setList(of: UInt16.self, [3, 1, 4, 1, 5])
    let list = try message.root.reader.list(of: UInt16.self)
    #expect(list.first { $0 > 3 } == 4)
    #expect(list.first { $0 > 5 } == nil)
    #expect(list.firstIndex { $0 == 1 } == 1)
    #expect(list.contains(4) == true)
    #expect(list.contains(2) == false)
    #expect(list.contains { $0 == 5 } == true)
    #expect(list.allSatisfy { $0 > 0 } == true)
    #expect(list.allSatisfy { $0 > 1 } == false)
    #expect(list.reduce(0, +) == 14)
    #expect(list.reduce(into: "") { $0 += "\($1)" } == "31415")
    #expect(list.compactMap { $0 > 1 ? Int($0) : nil } == [3, 4, 5])
  }

  @Test func structsAreSearchedAndReduced() throws {
    let message = MessageBuilder()
    message.root.setList(of: Sample.Builder.self, ["a", "b"]) { $0.text = $1 }
    let list = try message.root.reader.list(of: Sample.Reader.self)
    let found = try list.first { try $0.text == "b" }
    #expect(try found?.text.string == "b")
    let missing = try list.first { try $0.text == "c" } == nil
    #expect(missing)
    #expect(try list.contains { try $0.text == "a" } == true)
    #expect(try list.reduce("") { try $0 + $1.text.string } == "ab")
  }

  @Test func textsAreSearchedAndReduced() throws {
    let message = MessageBuilder()
    message.root.setList(of: TextType.self, ["one", "two"])
    let list = try message.root.reader.list(of: TextReader.self)
    #expect(try list.contains("two") == true)
    #expect(try list.contains("three") == false)
    #expect(try list.first { $0.count == 3 }?.string == "one")
    #expect(try list.firstIndex { $0 == "two" } == 1)
    #expect(try list.allSatisfy { $0.count == 3 } == true)
    #expect(try list.reduce(into: 0) { $0 += $1.count } == 6)
    #expect(try list.compactMap { $0 == "one" ? $0.string : nil } == ["one"])
  }

  @Test func aDamagedElementIsAnErrorOfTheAlgorithm() throws {
    let bytes = frame([[list(0, .pointer, 1), list(9, .byte, 9)]])
    let message = try MessageReader(flat: bytes)
    let list = try message.root.list(of: TextReader.self)
    #expect(throws: DecodingError.pointerOutOfBounds) { _ = try list.contains("x") }
    #expect(throws: DecodingError.pointerOutOfBounds) { _ = try list.first { _ in true } }
    #expect(throws: DecodingError.pointerOutOfBounds) { _ = try list.reduce(0) { $0 + $1.count } }
  }
}
