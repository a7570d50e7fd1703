import CapnProto
import Testing

@Suite struct BuildingTests {
  @Test func scalarsAndDefaults() throws {
    let message = MessageBuilder()
    let sample = message.initRoot(as: Sample.Builder.self)
    #expect(sample.seven == 7)
    #expect(sample.other == true)
    fillScalars(sample)
    expectScalars(sample.reader)
    #expect(sample.seven == 8)
    #expect(sample.other == false)
    #expect(sample.color == .unknown(500))
    sample.seven = 7
    sample.other = true
    sample.flag = false
    // A default is stored as zero.
    #expect(sample._raw.read(11, as: UInt32.self) == 0)
    #expect(sample._raw.readBool(241) == false)
  }

  @Test func everyPointerKindInOneSegmentAndAcrossSegments() throws {
    for words in [1, 2, 20, 1000] {
      let message = MessageBuilder(firstSegmentWords: words)
      fill(message.initRoot(as: Sample.Builder.self))
      let sample = message.root(as: Sample.Builder.self)
      try expectFilled(sample.reader)
      let received = try MessageReader(flat: message.flattened())
      if words < 1000 { #expect(received.segmentCount > 1) }
      try expectFilled(received.root())
      let copy = tinyMessage()
      try copy.root.set(received.root(as: Sample.Reader.self))
      try expectFilled(copy.root(as: Sample.Builder.self).reader)
    }
  }

  @Test func everyAllocationInASegmentOfItsOwn() throws {
    // Segments grow to twice the last: objects larger than that force a new one each time.
    let message = tinyMessage()
    let sample = message.initRoot(as: Sample.Builder.self)
    var expected: [Int] = []
    for index in 0..<6 {
      let count = 200 << (2 * index)
      expected.append(count)
    }
    let texts = sample.initTexts(6)
    for (index, count) in expected.enumerated() {
      texts[index] = String(repeating: "t", count: count)
    }
    let received = try MessageReader(flat: message.flattened())
    #expect(received.segmentCount >= 6)
    let root = try received.root(as: Sample.Reader.self)
    #expect(try root.texts.map { $0.count } == expected)
  }

  @Test func getOrInit() throws {
    let message = tinyMessage()
    let first = message.root(as: Sample.Builder.self)
    first.child.child.a = 5
    #expect(first.child.child.a == 5)
    first.child.child.text = "deep"
    let again = message.root(as: Sample.Builder.self)
    #expect(again.child.child.a == 5)
    #expect(again.child.child.text == "deep")
    // A new one is all zero.
    #expect(again.initChild().child.a == 0)
    #expect(again.child.child.text == "")
    #expect(again.numbers.count == 0)
    #expect(again.children.count == 0)
    #expect(again.texts.count == 0)
  }

  @Test func pointerOfAnotherKindReadsAsMissing() throws {
    let message = MessageBuilder()
    let any = message.initRoot(as: Sample.Builder.self).any
    any.setText("text")
    #expect(any.structure(as: Small.Builder.self).number == 0)
    #expect(any.list(of: UInt32.self).count == 0)
    #expect(any.list(of: Small.Builder.self).count == 0)
    #expect(any.string == "")
    any.initList(of: UInt8.self, count: 3)[0] = 1
    #expect(any.list(of: UInt32.self).count == 0)
    #expect(any.list(of: Bool.self).count == 0)
    #expect(any.list(of: TextType.self).count == 0)
    #expect(any.list(of: UInt8.self).count == 3)
    any.initList(of: Bool.self, count: 3)[0] = true
    #expect(any.list(of: Small.Builder.self).count == 0)
    #expect(any.list(of: UInt8.self).count == 0)
  }

  @Test func builderReadsALargerElementByItsFirstField() throws {
    let message = MessageBuilder()
    let any = message.initRoot(as: Sample.Builder.self).any
    let structs = any.initList(of: Large.Builder.self, count: 2)
    structs[1].number = 7
    structs[1].text = "t"
    structs[1].added = 9
    let numbers = any.list(of: UInt32.self)
    #expect(numbers[1] == 7)
    numbers[1] = 8
    #expect(structs[1].number == 8)
    let texts = any.list(of: TextType.self)
    #expect(texts[1] == "t")
    texts[0] = "first"
    #expect(structs[0].text == "first")
    #expect(structs[1].added == 9)
  }

  @Test func structUpgradeInABuilder() throws {
    for words in [1, 4, 1000] {
      let message = MessageBuilder(firstSegmentWords: words)
      let any = message.initRoot(as: Sample.Builder.self).any
      let small = any.initStructure(as: Small.Builder.self)
      small.number = 1
      small.text = "kept"
      let large = any.structure(as: Large.Builder.self)
      #expect(large.number == 1)
      #expect(large.text == "kept")
      large.added = 2
      large.addedText = "added"
      #expect(any.structure(as: Small.Builder.self).text == "kept")
      #expect(any.structure(as: Large.Builder.self).addedText == "added")
      let received = try MessageReader(flat: message.flattened())
      let read = try received.root(as: Sample.Reader.self).any.structure(as: Large.Reader.self)
      #expect(read.number == 1)
      #expect(read.added == 2)
      #expect(try read.text == "kept")
    }
  }

  @Test func structListUpgradeInABuilder() throws {
    for words in [1, 4, 1000] {
      let message = MessageBuilder(firstSegmentWords: words)
      let any = message.initRoot(as: Sample.Builder.self).any
      let small = any.initList(of: Small.Builder.self, count: 3)
      for index in small.indices {
        small[index].number = UInt32(index)
        small[index].text = "\(index)"
      }
      let large = any.list(of: Large.Builder.self)
      for index in large.indices {
        #expect(large[index].number == UInt32(index))
        #expect(large[index].text == "\(index)")
        large[index].added = 9
      }
      let received = try MessageReader(flat: message.flattened())
      let read = try received.root(as: Sample.Reader.self).any.list(of: Large.Reader.self)
      #expect(try read.map { try $0.text.string } == ["0", "1", "2"])
      #expect(read.map { $0.added } == [9, 9, 9])
    }
  }

  @Test func primitiveAndPointerListsUpgradeInABuilder() throws {
    let message = tinyMessage()
    let any = message.initRoot(as: Sample.Builder.self).any
    let numbers = any.initList(of: UInt16.self, count: 3)
    for index in numbers.indices { numbers[index] = UInt16(index + 1) }
    let structs = any.list(of: Large.Builder.self)
    #expect(structs.count == 3)
    #expect((0..<3).map { structs[$0].number } == [1, 2, 3])
    structs[2].addedText = "x"

    let texts = any.initList(of: TextType.self, count: 2)
    texts[0] = "a"
    texts[1] = "b"
    let upgraded = any.list(of: Large.Builder.self)
    #expect(upgraded[0].text == "a")
    #expect(upgraded[1].text == "b")
    upgraded[1].added = 4
    #expect(any.list(of: TextType.self)[1] == "b")

    _ = any.initList(of: VoidValue.self, count: 2)
    #expect(any.list(of: Small.Builder.self).count == 2)
  }

  @Test func doubleFarPointersComeFromAnUpgrade() throws {
    // An object in a full segment, to which a pointer elsewhere then leads: only a double-far pad
    // elsewhere can describe it.
    let message = MessageBuilder(firstSegmentWords: 5)
    let any = message.root
    let small = any.initStructure(as: Small.Builder.self)
    small.text = "full!"
    #expect(words(of: message).map { $0.count } == [4])
    _ = small
    let large = any.structure(as: Large.Builder.self)
    large.addedText = "new"
    #expect(large.text == "full!")
    let exact = MessageBuilder(firstSegmentWords: 4)
    let full = exact.root.initStructure(as: Small.Builder.self)
    full.text = "full!"
    #expect(words(of: exact)[0].count == 4)
    let upgraded = exact.root.structure(as: Large.Builder.self)
    #expect(upgraded.text == "full!")
    let segments = words(of: exact)
    #expect(segments.count == 2)
    #expect(segments.joined().contains { $0 & 7 == 6 })
    let received = try MessageReader(flat: exact.flattened())
    #expect(try received.root(as: Large.Reader.self).text == "full!")
    // Erasing goes through the pads.
    exact.root.clear()
    #expect(words(of: exact).joined().allSatisfy { $0 == 0 })
  }

  @Test func upgradeKeepsStructsOfNoSize() throws {
    // Wherever an empty struct's pointer moves to, it stays a pointer that is not null.
    for padding in 0..<6 {
      let message = MessageBuilder(firstSegmentWords: 1 + 2 + padding)
      let small = message.root.initStructure(as: Small.Builder.self)
      _ = small._raw.pointer(0).initStructure(as: Empty.Builder.self)
      let large = message.root.structure(as: Large.Builder.self)
      #expect(large._raw.hasPointer(0) == true)
      let received = try MessageReader(flat: message.flattened())
      let root = try received.root(as: Large.Reader.self)
      #expect(root._raw.hasPointer(0) == true)
      #expect(try root._raw.pointer(0).structure().layout.dataWords == 0)
    }
    // In a list, the element's pointer may end up right before where it was.
    let message = MessageBuilder()
    let empties = message.root.initList(of: AnyPointerBuilder.self, count: 3)
    for index in empties.indices { _ = empties[index].initStructure(as: Empty.Builder.self) }
    let structs = message.root.list(of: Small.Builder.self)
    for index in structs.indices {
      #expect(structs[index]._raw.hasPointer(0) == true)
    }
  }

  @Test func upgradeOfMoreElementsThanAListMayHoldReadsAsEmpty() throws {
    // No words in the message, yet terabytes as structs.
    let unlimited = ReaderLimits(traversalWords: .max, nestingDepth: 64)
    try reading([list(0, .void, 1 << 29 - 1)], limits: unlimited) { (root) throws in
      let message = MessageBuilder()
      try message.root.set(root)
      #expect(message.root.list(of: Large.Builder.self).count == 0)
      #expect(try message.root.reader.anyList().count == 1 << 29 - 1)
    }
  }

  @Test func capabilityTable() throws {
    let message = tinyMessage()
    message.build(Sample.Builder.self) { sample in
      let list = sample.any.initList(of: AnyPointerBuilder.self, count: 3)
      list[0].setCapability(Hook("zero"))
      list[1].setCapability(Hook("one"))
      #expect(name(list[1].capability) == "one")
      #expect(list[2].capability == nil)
      list[2].setCapability(nil)
      #expect(list[2].isNull == true)
    }
    let table = message.capabilities
    #expect(table.map { name($0) } == ["zero", "one"])
    let frozen = message.freeze()
    let read = try frozen.root(as: Sample.Reader.self).any.list(of: AnyPointerReader.self)
    #expect(try name(read[0].capability()) == "zero")
    #expect(try read[0].kind == .capability)
    #expect(try read[2].capability() == nil)
  }

  @Test func overwrittenCapabilityLeavesTheTable() throws {
    // Else a peer would be given what the message no longer says.
    let message = MessageBuilder()
    let sample = message.initRoot(as: Sample.Builder.self)
    sample.any.setCapability(Hook("secret"))
    sample.any.setCapability(Hook("public"))
    #expect(message.capabilities.compactMap { name($0) } == ["public"])
    #expect(name(sample.any.capability) == "public")
    sample.child.any.setCapability(Hook("inside"))
    _ = sample.initChild()
    #expect(message.capabilities.compactMap { name($0) } == ["public"])
    sample.any.clear()
    #expect(message.capabilities.allSatisfy { $0 == nil })
  }

  @Test func freezeReadsWithoutACopy() throws {
    let message = tinyMessage()
    message.build(Sample.Builder.self) { fill($0) }
    let frame = message.flattened()
    let reader = message.freeze()
    try expectFilled(reader.root())
    #expect(reader.flattened() == frame)
  }

  @Test func frozenMessageKeepsItsLimits() throws {
    let message = MessageBuilder()
    message.build(Small.Builder.self) { $0.text = String(repeating: "x", count: 800) }
    let reader = message.freeze(limits: ReaderLimits(traversalWords: 150, nestingDepth: 1))
    let small = try reader.root(as: Small.Reader.self)
    _ = try small.text
    #expect(throws: DecodingError.traversalLimitExceeded) { _ = try small.text }
  }
}
