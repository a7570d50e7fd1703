import CapnProto
import Testing

/// Encoding specification, "Protocol Evolution": lists read as lists of another element type.
@Suite struct ListCompatibilityTests {
  @Test func structListReadsAsPrimitivesAndPointers() throws {
    let words =
      [
        list(0, .inlineComposite, 6), tag(count: 2, data: 2, pointers: 1),
        0x1_0000_0002, 9, list(3, .byte, 2), 0x3_0000_0004, 9, list(0, .byte, 2), characters("x"),
      ] as [UInt64]
    try reading(words) { (root) throws in
      #expect(try root.list(of: UInt64.self).array == [0x1_0000_0002, 0x3_0000_0004])
      #expect(try root.list(of: UInt32.self).array == [2, 4])
      #expect(try root.list(of: UInt8.self).array == [2, 4])
      #expect(try root.list(of: Color.self).array == [.blue, .unknown(4)])
      #expect(try root.list(of: VoidValue.self).count == 2)
      #expect(try root.list(of: TextReader.self).map { $0.string } == ["x", "x"])
    }
  }

  @Test func primitiveAndPointerListsReadAsStructs() throws {
    try reading([list(0, .twoBytes, 3), 0x0003_0002_0001]) { (root) throws in
      let structs = try root.list(of: Small.Reader.self)
      #expect(structs.map { $0._raw.read(0, as: UInt16.self) } == [1, 2, 3])
      // A field past the element is a default, not the next element.
      #expect(structs.map { $0.number } == [0, 0, 0])
      #expect(try structs[2].text.isEmpty == true)
    }
    try reading([list(0, .pointer, 2), list(1, .byte, 2), 0, characters("y")]) { (root) throws in
      let structs = try root.list(of: Small.Reader.self)
      #expect(try structs[0].text == "y")
      #expect(try structs[1].text == "")
      #expect(structs[0].number == 0)
    }
    try reading([list(0, .eightBytes, 1), 7]) { (root) throws in
      #expect(try root.list(of: Small.Reader.self)[0].number == 7)
    }
    try reading([list(0, .void, 4)]) { (root) throws in
      #expect(try root.list(of: Small.Reader.self).map { $0.number } == [0, 0, 0, 0])
    }
  }

  @Test func bitListIsNeverAStructList() throws {
    let bits = [list(0, .bit, 10), 0b10_0000_0001] as [UInt64]
    #expect(
      errorReading(bits) { _ = try $0.list(of: Small.Reader.self) }
        == .incompatibleList(expected: .inlineComposite, found: .bit))
    #expect(
      errorReading(bits) { _ = try $0.list(of: UInt8.self) }
        == .incompatibleList(expected: .byte, found: .bit))
    #expect(
      errorReading(bits) { _ = try $0.list(of: TextReader.self) }
        == .incompatibleList(expected: .pointer, found: .bit))
    #expect(
      errorReading([list(0, .byte, 1), 1]) { _ = try $0.list(of: Bool.self) }
        == .incompatibleList(expected: .bit, found: .byte))
    #expect(
      errorReading([list(0, .inlineComposite, 1), tag(count: 1, data: 1, pointers: 0), 1]) {
        _ = try $0.list(of: Bool.self)
      } == .incompatibleList(expected: .bit, found: .inlineComposite))
    try reading(bits) { (root) throws in
      let bools = try root.list(of: Bool.self).array
      #expect(bools == [true] + [Bool](repeating: false, count: 8) + [true])
      // Elements of a list of unknown type have no fields either.
      let any = try root.anyList()
      #expect(any.elementSize == .bit)
      #expect(any.structure(0).readBool(0) == false)
      #expect(any.pointer(9).isNull == true)
    }
  }

  @Test func elementsThatAreTooSmall() {
    #expect(
      errorReading([list(0, .twoBytes, 1), 1]) { _ = try $0.list(of: UInt32.self) }
        == .incompatibleList(expected: .fourBytes, found: .twoBytes))
    #expect(
      errorReading([list(0, .void, 1)]) { _ = try $0.list(of: UInt8.self) }
        == .incompatibleList(expected: .byte, found: .void))
    #expect(
      errorReading([list(0, .eightBytes, 1), 1]) { _ = try $0.list(of: TextReader.self) }
        == .incompatibleList(expected: .pointer, found: .eightBytes))
    #expect(
      errorReading([list(0, .pointer, 1), 0]) { _ = try $0.list(of: UInt64.self) }
        == .incompatibleList(expected: .eightBytes, found: .pointer))
    let pointersOnly = [list(0, .inlineComposite, 1), tag(count: 1, data: 0, pointers: 1), 0]
    #expect(
      errorReading(pointersOnly) { _ = try $0.list(of: UInt64.self) }
        == .incompatibleList(expected: .eightBytes, found: .inlineComposite))
  }

  @Test func listsOfOtherElementsAreCopiedAsTheyAre() throws {
    let sources: [[UInt64]] = [
      [list(0, .bit, 10), 0b10_0000_0001],
      [list(0, .twoBytes, 3), 0x0003_0002_0001],
      [list(0, .pointer, 2), list(1, .byte, 2), 0, characters("y")],
      [list(0, .void, 4)],
      [
        list(0, .inlineComposite, 4), tag(count: 2, data: 1, pointers: 1), 5, list(2, .byte, 2), 6,
        0, characters("z"),
      ],
    ]
    for source in sources {
      try reading(source) { (root) throws in
        let copy = MessageBuilder()
        try copy.root.set(root)
        #expect(words(of: copy) == [source])
        let list = try root.anyList()
        let again = try copy.root.reader.anyList()
        #expect(again.elementSize == list.elementSize)
        #expect(again.count == list.count)
      }
    }
  }

  @Test func bitsPastTheEndOfAListAreNotCopied() throws {
    try reading([list(0, .bit, 3), .max]) { (root) throws in
      let copy = MessageBuilder()
      try copy.root.set(root)
      #expect(words(of: copy) == [[list(0, .bit, 3), 0b111]])
    }
    try reading([list(0, .byte, 3), .max]) { (root) throws in
      let copy = MessageBuilder()
      try copy.root.set(root)
      #expect(words(of: copy) == [[list(0, .byte, 3), 0xff_ffff]])
    }
  }

  @Test func structListIsSetFromAPrimitiveList() throws {
    // Received from an older peer as List(UInt32), set into a newer message, then written to.
    try reading([list(0, .fourBytes, 2), 0x2_0000_0001]) { (root) throws in
      let message = tinyMessage()
      let sample = message.initRoot(as: Sample.Builder.self)
      try sample.any.set(try root.list(of: Small.Reader.self))
      let list = sample.any.list(of: Large.Builder.self)
      #expect(list.count == 2)
      #expect(list[0].number == 1)
      #expect(list[1].number == 2)
      list[1].addedText = "more"
      list[1].added = 3
      let larger = try sample.any.reader.list(of: Large.Reader.self)
      #expect(larger.map { $0.number } == [1, 2])
      #expect(larger[1].added == 3)
    }
  }

  @Test func elementOfAPrimitiveListIsCopiedAsAStruct() throws {
    try reading([list(0, .twoBytes, 2), 0x7_0006]) { (root) throws in
      let message = MessageBuilder()
      try message.root.set(try root.list(of: Small.Reader.self)[1])
      #expect(try message.root.reader.structure().read(0, as: UInt16.self) == 7)
      #expect(try message.root.reader.structure().layout == Small.Reader._layout)
    }
  }
}
