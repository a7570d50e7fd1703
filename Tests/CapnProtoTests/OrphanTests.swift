import CapnProto
import Testing

/// The messages that cases run in: one in which each object has a segment of its own, and one segment.
private let firstSegments = [1, 1000]

@Suite struct OrphanTests {
  @Test(arguments: firstSegments) func builtDetachedAndAdopted(firstSegmentWords: Int) throws {
    let message = MessageBuilder(firstSegmentWords: firstSegmentWords)
    var child = message.orphanage.newStructure(of: Sample.Builder.self)
    fill(child.builder)
    let texts = message.orphanage.newText("detached")
    var numbers = message.orphanage.newList(of: UInt16.self, count: 3)
    numbers.builder[2] = 7
    let sample = message.initRoot(as: Sample.Builder.self)
    sample._raw.pointer(2).adopt(child)
    sample._raw.pointer(0).adopt(texts)
    sample._raw.pointer(3).adopt(numbers)
    try expectFilled(sample.child.reader)
    #expect(sample.text == "detached")
    #expect(try sample.reader.numbers.array == [0, 0, 7])
  }

  @Test(arguments: firstSegments) func disownedAndAdoptedElsewhere(firstSegmentWords: Int) throws {
    let message = MessageBuilder(firstSegmentWords: firstSegmentWords)
    let sample = message.initRoot(as: Sample.Builder.self)
    fill(sample.initChild())
    let words = message.words
    let list = sample._raw.pointer(9).initList(of: AnyPointerBuilder.self, count: 1)
    let orphan = sample._raw.pointer(2).disown(as: Sample.Builder.self)
    #expect(sample._raw.hasPointer(2) == false)
    list[0].adopt(orphan)
    try expectFilled(list[0].reader.structure(as: Sample.Reader.self))
    // Nothing but the list and landing pads came in addition.
    #expect(message.words <= words + 1 + 3)
  }

  @Test func adoptingErasesWhatWasThere() throws {
    let message = MessageBuilder()
    message.root.setText("overwritten")
    let orphan = message.orphanage.newText("adopted")
    message.root.adopt(orphan)
    #expect(message.root.string == "adopted")
    #expect(words(of: message)[0][1...2] == [0, 0])
  }

  @Test(arguments: firstSegments) func abandonedIsErased(firstSegmentWords: Int) throws {
    let message = MessageBuilder(firstSegmentWords: firstSegmentWords)
    do {
      let sample = message.initRoot(as: Sample.Builder.self)
      fill(sample)
      sample.any.setCapability(Hook("gone"))
    }
    do { _ = message.root.disown(as: Sample.Builder.self) }
    #expect(words(of: message).allSatisfy { $0.allSatisfy { $0 == 0 } })
    #expect(message.capabilities.allSatisfy { $0 == nil })
    do {
      var orphan = message.orphanage.newData(count: 9)
      var bytes = orphan.mutableBytes
      bytes[3] = 4
    }
    #expect(words(of: message).allSatisfy { $0.allSatisfy { $0 == 0 } })
  }

  @Test func abandonedOnOnePathIsErasedOnThatOnly() throws {
    for adopts in [false, true] {
      let message = MessageBuilder()
      let orphan = message.orphanage.newText("text")
      if adopts { message.root.adopt(orphan) }
      #expect(words(of: message)[0].contains(characters("text\0\0\0\0")) == adopts)
    }
  }

  @Test func nothingIsDisownedFromNull() throws {
    let message = MessageBuilder()
    let sample = message.initRoot(as: Sample.Builder.self)
    var orphan = sample._raw.pointer(2).disown(as: Sample.Builder.self)
    #expect(orphan.isNull == true)
    sample._raw.pointer(2).adopt(sample._raw.pointer(0).disown(as: Sample.Builder.self))
    #expect(sample._raw.hasPointer(2) == false)
    orphan.builder.a = 5
    sample._raw.pointer(2).adopt(orphan)
    #expect(sample.child.a == 5)
    var list = sample._raw.pointer(3).disown(as: ListBuilder<UInt16>.self)
    #expect(list.count == 0)
    list.truncate(to: 2)
    #expect(list.count == 2)
    var text = sample._raw.pointer(0).disown(as: TextType.self)
    #expect(text.count == 0 && text.bytes.count == 0)
    text.truncate(to: 0)
    sample._raw.pointer(0).adopt(text)
    #expect(try sample.reader.text.isEmpty == true && sample._raw.hasPointer(0))
  }

  @Test func capabilityIsDisownedAndAdopted() throws {
    let message = MessageBuilder()
    let list = message.root.initList(of: AnyPointerBuilder.self, count: 2)
    list[0].setCapability(Hook("moved"))
    list[1].adopt(list[0].disown(as: AnyPointerBuilder.self))
    #expect(list[0].isNull == true)
    #expect(name(list[1].capability) == "moved")
    #expect(message.capabilities.count == 1)
    do { _ = list[1].disown(as: AnyPointerBuilder.self) }
    #expect(message.capabilities.allSatisfy { $0 == nil })
  }

  @Test(arguments: firstSegments) func olderObjectsAreEnlarged(firstSegmentWords: Int) throws {
    let message = MessageBuilder(firstSegmentWords: firstSegmentWords)
    let root = message.root.initStructure(as: Sample.Builder.self)
    root.any.initStructure(as: Small.Builder.self).text = "small"
    var orphan = root.any.disown(as: Sample.Builder.self)
    orphan.builder.x = 2
    #expect(orphan.builder.text == "small")
    root._raw.pointer(2).adopt(orphan)
    #expect(root.child.text == "small" && root.child.x == 2)

    let small = root.any.initList(of: Small.Builder.self, count: 2)
    small[1].text = "element"
    var list = root.any.disown(as: ListBuilder<Sample.Builder>.self)
    list.builder[0].x = 3
    root._raw.pointer(6).adopt(list)
    #expect(root.children[0].x == 3 && root.children[1].text == "element")

    let numbers = root.any.initList(of: UInt64.self, count: 2)
    numbers[1] = 9
    var upgraded = root.any.disown(as: ListBuilder<Sample.Builder>.self)
    #expect(upgraded.builder[1].a == 9)
  }

  @Test func copiesOfOtherMessages() throws {
    let source = tinyMessage()
    fill(source.initRoot(as: Sample.Builder.self))
    let message = MessageBuilder()
    let sample = message.initRoot(as: Sample.Builder.self)
    let reader = source.root(as: Sample.Builder.self).reader
    sample._raw.pointer(2).adopt(
      try message.orphanage.copy(of: reader, as: Sample.Builder.self))
    try expectFilled(sample.child.reader)
    sample._raw.pointer(6).adopt(
      try message.orphanage.copy(of: reader.children, as: ListBuilder<Sample.Builder>.self))
    #expect(try sample.reader.children[1].child.text == "grandchild")
    sample.any.adopt(
      try message.orphanage.copy(of: source.root.reader, as: AnyPointerBuilder.self))
    try expectFilled(sample.any.reader.structure(as: Sample.Reader.self))
    sample._raw.pointer(0).adopt(
      try message.orphanage.copy(of: reader._raw.pointer(0), as: TextType.self))
    #expect(sample.text == "text of the sample")
  }

  @Test func copyThatFailsLeavesNothing() throws {
    let message = MessageBuilder()
    let words = [structure(0, data: 1, pointers: 2), 0xff, 0, list(900, .byte, 3)]
    let error = errorReading(words) { root in
      _ = try message.orphanage.copy(of: root, as: AnyPointerBuilder.self)
    }
    #expect(error == .pointerOutOfBounds)
    #expect(CapnProtoTests.words(of: message).allSatisfy { $0.allSatisfy { $0 == 0 } })
  }
}

/// Lists, texts and data that become shorter or longer.
@Suite struct TruncationTests {
  @Test func memoryAtTheEndIsGivenBack() throws {
    let message = MessageBuilder()
    _ = message.initRoot(as: Sample.Builder.self)
    let words = message.words
    var data = message.orphanage.newData(count: 400)
    #expect(message.words == words + 50)
    do {
      var bytes = data.mutableBytes
      bytes[7] = 1
    }
    data.truncate(to: 8)
    #expect(message.words == words + 1)
    data.truncate(to: 16)
    #expect(message.words == words + 2 && data.count == 16)
    do {
      var bytes = data.mutableBytes
      bytes[15] = 2
    }
    message.root(as: Sample.Builder.self)._raw.pointer(1).adopt(data)
    #expect(
      message.root(as: Sample.Builder.self).data
        == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2])
  }

  @Test func emptyObjectsStayInsideTheSegmentThatGivesMemoryBack() throws {
    let makeEmpty: [(Orphanage, AnyPointerBuilder) -> Void] = [
      { _ = $1.initList(of: UInt32.self, count: 0) }, { $1.setData([UInt8]()) },
      { _ = $1.initList(of: VoidValue.self, count: 5) }, { $1.adopt($0.newData(count: 0)) },
      { $1.adopt($0.newList(of: UInt16.self, count: 0)) },
      { _ = $1.initStructure(layout: StructLayout(dataWords: 0, pointers: 0)) },
      {
        var emptied = $0.newData(count: 80)
        emptied.truncate(to: 0)
        $1.adopt(emptied)
      },
    ]
    for (index, makeEmpty) in makeEmpty.enumerated() {
      let message = MessageBuilder()
      let list = message.root.initList(of: AnyPointerBuilder.self, count: 2)
      var data = message.orphanage.newData(count: 400)
      makeEmpty(message.orphanage, list[0])
      data.truncate(to: 8)
      list[1].adopt(data)
      let size = try message.root.reader.totalSize()
      #expect(size.words == 3, "empty object \(index)")
      let read = try MessageReader(flat: message.flattened())
      let copied = try read.root.totalSize()
      #expect(copied == size, "empty object \(index)")
    }
  }

  @Test func textKeepsItsTerminator() throws {
    for inBetween in [false, true] {
      let message = MessageBuilder(firstSegmentWords: 8)
      var text = message.orphanage.newText("a text of some words")
      let other = inBetween ? message.orphanage.newText("in between") : nil
      text.truncate(to: 6)
      #expect(text.count == 6)
      text.truncate(to: 9)
      do {
        var bytes = text.mutableBytes
        bytes[8] = 0x21
      }
      #expect(text.count == 9)
      message.root.adopt(text)
      #expect(message.root.string == "a text\0\0!")
      #expect(try message.root.reader.text() == "a text\0\0!")
      _ = other
    }
  }

  @Test(arguments: [false, true]) func everyElementSize(inBetween: Bool) throws {
    func check<Element: PrimitiveElement & Equatable>(_ value: Element, _ zero: Element) throws {
      let message = MessageBuilder(firstSegmentWords: 32)
      var list = message.orphanage.newList(of: Element.self, count: 21)
      for index in 0..<21 { list.builder[index] = value }
      let other = inBetween ? message.orphanage.newText("in between") : nil
      list.truncate(to: 11)
      #expect(list.count == 11)
      list.truncate(to: 40)
      message.root.adopt(list)
      let read = try message.root.reader.list(of: Element.self).array
      #expect(read == [Element](repeating: value, count: 11) + .init(repeating: zero, count: 29))
      _ = other
    }
    try check(true, false)
    try check(0xff as UInt8, 0)
    try check(0xffff as UInt16, 0)
    try check(-1 as Int32, 0)
    try check(1.5 as Double, 0)
    try check(VoidValue(), VoidValue())
  }

  @Test(arguments: [false, true]) func listsOfStructsAndPointers(inBetween: Bool) throws {
    let message = MessageBuilder(firstSegmentWords: 64)
    var structs = message.orphanage.newList(of: Small.Builder.self, count: 4)
    var texts = message.orphanage.newList(of: TextType.self, count: 4)
    for index in 0..<4 {
      structs.builder[index].text = "struct \(index)"
      texts.builder[index] = "text \(index)"
    }
    structs.truncate(to: 2)
    texts.truncate(to: 2)
    #expect(!words(of: message).joined().contains(characters("struct 3")))
    #expect(!words(of: message).joined().contains(characters("text 3\0\0")))
    structs.truncate(to: 5)
    texts.truncate(to: 5)
    let sample = message.initRoot(as: Sample.Builder.self)
    sample._raw.pointer(6).adopt(structs)
    sample._raw.pointer(5).adopt(texts)
    let root = sample.reader
    #expect(try root.texts.map { $0.string } == ["text 0", "text 1", "", "", ""])
    let children = try root._raw.pointer(6).list(of: Small.Reader.self)
    #expect(children.count == 5)
    #expect(try children.map { try $0.text.string } == ["struct 0", "struct 1", "", "", ""])
  }

  @Test func listsOfNoSize() throws {
    let message = MessageBuilder()
    var list = message.orphanage.newList(of: VoidValue.self, count: 1 << 28)
    list.truncate(to: 3)
    list.truncate(to: 1 << 29 - 1)
    #expect(list.count == 1 << 29 - 1)
    message.root.adopt(list)
    #expect(message.words == 1)
  }
}
