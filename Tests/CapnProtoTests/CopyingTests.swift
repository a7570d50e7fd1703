import CapnProto
import Testing

@Suite struct CopyingTests {
  @Test func deepCopyBetweenMessages() throws {
    let source = tinyMessage()
    fill(source.initRoot(as: Sample.Builder.self))
    let target = MessageBuilder()
    let sample = target.initRoot(as: Sample.Builder.self)
    try sample._raw.pointer(2).set(source.root(as: Sample.Builder.self).reader)
    try expectFilled(sample.child.reader)
    // The copy is its own.
    source.root.clear()
    try expectFilled(sample.child.reader)
    try sample.any.set(try sample.child.reader.children)
    #expect(try sample.any.reader.list(of: Sample.Reader.self)[1].child.text == "grandchild")
    try sample._raw.pointer(0).set(try sample.child.reader.any.structure().pointer(0))
    #expect(sample.text == "anything")
  }

  @Test func copyHasAtLeastTheLayoutOfItsType() throws {
    // An older sender's struct, written to as the newer type.
    try reading([structure(0, data: 1, pointers: 0), 5]) { (root) throws in
      let message = MessageBuilder()
      try message.root.set(try root.structure(as: Large.Reader.self))
      #expect(try message.root.reader.structure().layout == Large.Reader._layout)
      #expect(message.root.structure(as: Large.Builder.self).number == 5)
    }
    // A newer sender's struct keeps what this version does not know.
    let words = [structure(0, data: 3, pointers: 3), 5, 6, 7, 0, 0, list(0, .byte, 2)]
    try reading(words + [characters("n")]) { (root) throws in
      let message = MessageBuilder()
      try message.root.set(try root.structure(as: Small.Reader.self))
      let copy = try message.root.reader.structure()
      #expect(copy.layout == StructLayout(dataWords: 3, pointers: 3))
      #expect(copy.read(2, as: UInt64.self) == 7)
      #expect(try copy.pointer(2).text() == "n")
    }
  }

  @Test func copyOfNullIsNull() throws {
    let message = MessageBuilder()
    message.root.setText("before")
    try reading([0]) { (root) throws in try message.root.set(root) }
    #expect(message.root.isNull == true)
  }

  @Test func capabilitiesGoAlong() throws {
    let source = MessageBuilder()
    source.initRoot(as: Sample.Builder.self).any.setCapability(Hook("one"))
    let target = MessageBuilder()
    let list = target.root.initList(of: AnyPointerBuilder.self, count: 2)
    list[0].setCapability(Hook("zero"))
    try list[1].set(source.root.reader)
    #expect(target.capabilities.map { name($0) } == ["zero", "one"])
    #expect(name(list[1].structure(as: Sample.Builder.self).any.capability) == "one")
  }

  @Test func capabilityThatThePeerDidNotSendIsCopiedAsNull() throws {
    try reading([capability(7)]) { (root) throws in
      let target = MessageBuilder()
      try target.root.set(root)
      #expect(target.root.isNull == true)
    }
    #expect(
      errorReading([7]) { try MessageBuilder().root.set($0) }
        == .unexpectedPointer(expected: .capability, found: .capability))
  }

  @Test func copyOfAPointerToItselfChangesNothing() throws {
    let message = tinyMessage()
    fill(message.initRoot(as: Sample.Builder.self))
    try message.root.set(message.root.reader)
    try expectFilled(message.root(as: Sample.Builder.self).reader)
    try message.root.set(message.root(as: Sample.Builder.self).reader)
    try expectFilled(message.root(as: Sample.Builder.self).reader)
    let sample = message.root(as: Sample.Builder.self)
    try sample._raw.pointer(6).set(sample.reader.children)
    try expectFilled(sample.reader)
  }

  @Test func copyOfAPartReplacesTheWhole() throws {
    for words in [1, 1000] {
      let message = MessageBuilder(firstSegmentWords: words)
      fill(message.root(as: Sample.Builder.self).child)
      message.root(as: Sample.Builder.self).child.any.setCapability(Hook("kept"))
      try message.root.set(message.root(as: Sample.Builder.self).child.reader)
      let sample = message.root(as: Sample.Builder.self)
      #expect(sample.text == "text of the sample")
      #expect(name(sample.any.capability) == "kept")
      #expect(message.capabilities.compactMap { name($0) } == ["kept"])
    }
  }

  @Test func copyOfTheWholeIntoAPartEnds() throws {
    let message = MessageBuilder()
    let sample = message.initRoot(as: Sample.Builder.self)
    fill(sample)
    try sample._raw.pointer(2).set(message.root.reader)
    #expect(sample.child.text == "text of the sample")
    // The part as it was before.
    #expect(sample.child.child.text == "child")
    try expectFilled(sample.child.reader)
  }

  @Test func defaultIsCopiedBeforeItIsWrittenTo() throws {
    let value = ConstantMessage(words: [structure(0, data: 1, pointers: 1), 3, 0])
    let message = MessageBuilder()
    let sample = message.initRoot(as: Sample.Builder.self)
    let child: Small.Builder = sample._raw.pointer(9, default: value).structure()
    #expect(child.number == 3)
    child.number = 4
    #expect(try sample.any.reader.structure(as: Small.Reader.self).number == 4)
    #expect(try value.pointer.structure(as: Small.Reader.self).number == 3)
  }
}
