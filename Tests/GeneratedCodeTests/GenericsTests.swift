import CapnProto
import Testing

/// Generic structs, bound to every kind of pointer type.
@Suite struct GenericsTests {
  private static let text = """
    (text = (value = "t", label = "l", next = (value = "n"), \
    boxed = (value = (value = "deep")), inner = (seen = "s", count = 3), \
    reader = (both = (left = "left", right = "right")), some = "u"), \
    data = (value = "\\x01\\x02", none = void), numbers = (value = [1, 2, 3], none = void), \
    point = (value = (x = 1, y = 2), none = void), \
    points = (value = [(x = 3, y = 0)], pair = (left = [(x = 4, y = 0)], right = 5)), \
    nested = (value = (value = "inner", none = void), none = void), \
    map = (entries = [(key = "k", value = (x = 7, y = 8))]), \
    entry = (key = "e", value = "\\xff"), shadow = (own = "o"), \
    boxes = [(value = "first", none = void), (value = "second", none = void)], \
    matrix = (value = [["a", "b"], []], none = void), kind = hard)
    """

  private static func build(_ target: Bound.Builder) throws {
    let text = target.initText()
    text.value.string = "t"
    text.label = "l"
    text.next.value.string = "n"
    text.boxed.value.structure.value.string = "deep"
    let inner = text.initInner()
    inner.seen.string = "s"
    inner.count = 3
    let both = text.reader_.initBoth()
    both.left.string = "left"
    both.right.string = "right"
    text.initSome().string = "u"
    target.initData().value.array = [1, 2]
    let numbers = target.initNumbers().value.initialize(count: 3)
    for index in numbers.indices { numbers[index] = UInt32(index + 1) }
    let point = target.initPoint().value.initialize()
    point.x = 1
    point.y = 2
    let points = target.initPoints()
    points.value.initialize(count: 1)[0].x = 3
    let pair = points.initPair()
    pair.left.initialize(count: 1)[0].x = 4
    pair.right = 5
    target.nested.value.initialize().value.string = "inner"
    let entry = target.initMap().initEntries(1)[0]
    entry.key.string = "k"
    entry.value.structure.x = 7
    entry.value.structure.y = 8
    target.entry.key.string = "e"
    target.entry.value.array = [255]
    target.shadow.own.array = [111]
    let boxes = target.initBoxes(2)
    boxes[0].value.string = "first"
    boxes[1].value.string = "second"
    let matrix = target.initMatrix().value.initialize(count: 2)
    let row = matrix.initList(0, count: 2)
    row[0] = "a"
    row[1] = "b"
    target.kind = .hard
  }

  private static func check(_ reader: Bound.Reader) throws {
    let text = try reader.text
    #expect(try text.value.string == "t")
    #expect(try text.next.value.string == "n")
    #expect(try text.boxed.value.value.string == "deep")
    #expect(try text.inner.seen.string == "s")
    #expect(try text.reader_.both.left.string == "left")
    #expect(try text.reader_.both.right.string == "right")
    guard case .some(let member) = try text.which else {
      Issue.record("another member is set")
      return
    }
    #expect(member.string == "u")
    #expect(try reader.data.value.array == [1, 2])
    #expect(try reader.numbers.value.array == [1, 2, 3])
    #expect(try reader.point.value.y == 2)
    #expect(try reader.points.value[0].x == 3)
    #expect(try reader.points.pair.left[0].x == 4)
    #expect(try reader.nested.value.value.string == "inner")
    #expect(try reader.map.entries[0].key.string == "k")
    #expect(try reader.map.entries[0].value.y == 8)
    #expect(try reader.entry.value.array == [255])
    #expect(try reader.shadow.own.array == [111])
    #expect(try reader.boxes.map { try $0.value.string } == ["first", "second"])
    #expect(try reader.matrix.value[0].map { $0.string } == ["a", "b"])
    #expect(reader.kind == .hard)
  }

  @Test func readsWhatItBuilt() throws {
    let message = MessageBuilder()
    try Self.build(message.initRoot())
    try Self.check(message.root(as: Bound.Builder.self).reader)
  }

  @Test func capnpReadsAndWritesTheSame() throws {
    let message = MessageBuilder()
    try Self.build(message.initRoot())
    let encoded = try Oracle.encode(Self.text, as: "Bound", in: "generics")
    #expect(
      try Oracle.decode(message.flattened(), as: "Bound", in: "generics")
        == Oracle.decode(encoded, as: "Bound", in: "generics"))
    let reader = try MessageReader(flat: encoded)
    try Self.check(try reader.root())
  }

  @Test func anUnboundParameterIsAnyPointer() throws {
    let message = MessageBuilder()
    let target: Bound.Builder = message.initRoot()
    target.unbound.value.any.setText("any")
    target.initText().anything.value.any.initStructure(as: Point.Builder.self).x = 9
    #expect(try target.reader.unbound.value.text().string == "any")
    #expect(try target.reader.text.anything.value.structure(as: Point.Reader.self).x == 9)
  }

  /// Copies the values of boxes, whatever they hold.
  private func copy<Target>(_ source: Box.Reader<Target>, to target: Box.Builder<Target>) throws {
    try target.setValue(source.value)
    try target.next.value.set(try source.value)
  }

  @Test func codeMayBeGenericInTheParameter() throws {
    let message = MessageBuilder()
    let target: Bound.Builder = message.initRoot()
    target.initPoint().value.initialize().x = 4
    let other = MessageBuilder()
    let copied: Bound.Builder = other.initRoot()
    try copy(try target.reader.point, to: copied.point)
    #expect(try copied.reader.point.value.x == 4)
    #expect(try copied.reader.point.next.value.x == 4)
    target.initText().value.string = "text"
    try copy(try target.reader.text, to: copied.text)
    #expect(try copied.reader.text.next.value.string == "text")
    copied.text.valueField.clear()
    #expect(copied.text.valueField.isSet == false)
    #expect(copied.text.value.isNull == true)
  }

  @Test func anotherTypeThanTheBoundOneIsAnError() throws {
    let message = MessageBuilder()
    let target: Bound.Builder = message.initRoot()
    target.initPoint().value.any.setText("no point")
    #expect(throws: DecodingError.self) { _ = try target.reader.point.value.x }
  }

  @Test func defaultsAndConstantsMayBeGeneric() throws {
    let message = MessageBuilder()
    let target: Bound.Builder = message.initRoot()
    #expect(try target.reader.defaulted.label.string == "given")
    #expect(try boxed.label.string == "constant")
  }

  @Test func genericReadersAreRetained() throws {
    let message = MessageBuilder()
    try Self.build(message.initRoot())
    let box = try message.root(as: Bound.Builder.self).reader.text.retained()
    #expect(try box.reader.value.string == "t")
  }

  @Test func orphansMoveBetweenFields() throws {
    let message = MessageBuilder()
    let target: Bound.Builder = message.initRoot()
    target.initPoint().value.initialize().x = 8
    target.point.next.value.adopt(target.point.value.disown())
    #expect(target.point.valueField.isSet == false)
    #expect(try target.reader.point.next.value.x == 8)
    target.initText().label = "label"
    target.text.next.labelField.adopt(target.text.labelField.disown())
    #expect(target.text.labelField.isSet == false)
    #expect(target.text.next.label == "label")
    target.text.initSome().string = "member"
    target.text.initPair().right = 1
    #expect(target.text.someField.disown().isNull == true)
  }

  @Test func parametersMayHaveTheNamesOfTypes() throws {
    let message = MessageBuilder()
    let target: Bound.Builder = message.initRoot()
    let clash = target.initClash()
    clash.shape.string = "round"
    clash.initOther().name = "square"
    clash.string.a.string = "a"
    clash.string.b.array = [1]
    #expect(try target.reader.clash.shape.string == "round")
    #expect(try target.reader.clash.other.name.string == "square")
    #expect(try target.reader.clash.string.b.array == [1])
  }
}
