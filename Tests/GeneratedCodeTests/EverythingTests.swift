import CapnProto
import Testing

/// Every type of field, built and read, with `capnp` between.
@Suite struct EverythingTests {
  private static func build(_ target: Everything.Builder) {
    target.bool = true
    target.int8 = -8
    target.int16 = -1600
    target.int32 = -320_000
    target.int64 = -6_400_000_000
    target.uInt8 = 208
    target.uInt16 = 41_600
    target.uInt32 = 3_200_000_000
    target.uInt64 = 16_400_000_000_000_000_000
    target.float32 = 0.25
    target.float64 = -1e300
    target.text = "grüße \"x\""
    target.data = [0, 255, 7]
    target.initChild().int8 = 1
    target.color = .init_
    target.any.initStructure(as: Point.Builder.self).x = 5
    target.initBools(3)[1] = true
    target.initInt8s(2)[0] = -1
    target.initInt16s(1)[0] = -2
    target.initInt32s(1)[0] = -3
    target.initInt64s(1)[0] = -4
    let bytes = target.initUInt8s(4)
    for index in bytes.indices { bytes[index] = UInt8(index) }
    target.initUInt16s(1)[0] = 65_535
    target.initUInt32s(1)[0] = 6
    target.initUInt64s(1)[0] = 7
    target.initFloat32s(1)[0] = 1.5
    target.initFloat64s(1)[0] = 2.5
    let texts = target.initTexts(2)
    texts[0] = "one"
    texts[1] = ""
    target.initDatas(1)[0] = [9]
    let children = target.initChildren(2)
    children[0].text = "first"
    children[1].initChild().text = "second's"
    let colors = target.initColors(3)
    colors[0] = .blue
    colors[2] = .rawValue_
    _ = target.initVoids(3)
    let matrix = target.initMatrix(2)
    matrix.initList(0, count: 2)[1] = 12
    matrix.initList(1, count: 1)[0] = 13
    target.initNames(1).initList(0, count: 1)[0] = "name"
    target.initShapes(1).initList(0, count: 1)[0].name = "square"
    let corners = target.initShape().initCorners(2)
    corners[0].x = 1
    corners[1].y = 2
  }

  private static let text = """
    (bool = true, int8 = -8, int16 = -1600, int32 = -320000, int64 = -6400000000, uInt8 = 208, \
    uInt16 = 41600, uInt32 = 3200000000, uInt64 = 16400000000000000000, float32 = 0.25, \
    float64 = -1e300, text = "grüße \\"x\\"", data = "\\x00\\xff\\x07", child = (int8 = 1), \
    color = init, bools = [false, true, false], int8s = [-1, 0], \
    int16s = [-2], int32s = [-3], int64s = [-4], uInt8s = [0, 1, 2, 3], uInt16s = [65535], \
    uInt32s = [6], uInt64s = [7], float32s = [1.5], float64s = [2.5], texts = ["one", ""], \
    datas = ["\\t"], children = [(text = "first"), (child = (text = "second's"))], \
    colors = [blue, red, rawValue], voids = [void, void, void], matrix = [[0, 12], [13]], \
    names = [["name"]], shapes = [[(name = "square")]], \
    shape = (corners = [(x = 1, y = 0), (x = 0, y = 2)]))
    """

  private static func check(_ reader: Everything.Reader) throws {
    #expect(reader.bool == true)
    #expect(reader.int8 == -8)
    #expect(reader.int16 == -1600)
    #expect(reader.int32 == -320_000)
    #expect(reader.int64 == -6_400_000_000)
    #expect(reader.uInt8 == 208)
    #expect(reader.uInt16 == 41_600)
    #expect(reader.uInt32 == 3_200_000_000)
    #expect(reader.uInt64 == 16_400_000_000_000_000_000)
    #expect(reader.float32 == 0.25)
    #expect(reader.float64 == -1e300)
    #expect(try reader.text.string == "grüße \"x\"")
    #expect(try reader.data.array == [0, 255, 7])
    #expect(try reader.child.int8 == 1)
    #expect(reader.color == .init_)
    #expect(try reader.bools.array == [false, true, false])
    #expect(try reader.int8s.array == [-1, 0])
    #expect(try reader.int16s.array == [-2])
    #expect(try reader.int32s.array == [-3])
    #expect(try reader.int64s.array == [-4])
    #expect(try reader.uInt8s.array == [0, 1, 2, 3])
    #expect(try reader.uInt16s.array == [65_535])
    #expect(try reader.uInt32s.array == [6])
    #expect(try reader.uInt64s.array == [7])
    #expect(try reader.float32s.array == [1.5])
    #expect(try reader.float64s.array == [2.5])
    #expect(try reader.texts.map { $0.string } == ["one", ""])
    #expect(try reader.datas.map { $0.array } == [[9]])
    #expect(try reader.children.map { try $0.text.string } == ["first", ""])
    #expect(try reader.children[1].child.text.string == "second's")
    #expect(try reader.colors.array == [.blue, .red, .rawValue_])
    #expect(try reader.voids.count == 3)
    #expect(try reader.matrix.map { $0.array } == [[0, 12], [13]])
    #expect(try reader.names[0].map { $0.string } == ["name"])
    #expect(try reader.shapes[0][0].name.string == "square")
    #expect(try reader.shape.corners.map { [$0.x, $0.y] } == [[1, 0], [0, 2]])
    #expect(reader.hasShape == true)
    #expect(reader.hasAnyList == false)
  }

  @Test func structsAndListsOfAnyTypeAreReadAsThat() throws {
    let message = MessageBuilder()
    let target: Everything.Builder = message.initRoot()
    target.anyStruct.initStructure(as: Point.Builder.self).x = 5
    target.anyList.initList(of: UInt16.self, count: 3)[1] = 7
    let structure = try target.reader.anyStruct
    #expect(structure.layout == Point.Reader._layout)
    #expect(Point.Reader(_raw: structure).x == 5)
    let list = try target.reader.anyList
    #expect(list.count == 3)
    #expect(list.elementSize == .twoBytes)
    let other = MessageBuilder()
    let copy: Everything.Builder = other.initRoot()
    try copy.setAnyStruct(structure)
    try copy.setAnyList(list)
    #expect(Point.Reader(_raw: try copy.reader.anyStruct).x == 5)
    #expect(try copy.reader.anyList.count == 3)
    copy.anyStruct.setText("no struct")
    #expect(throws: DecodingError.self) { _ = try copy.reader.anyStruct.layout }
    let nothing = copy.anyListField.disown()
    #expect(nothing.isNull == false)
    #expect(try copy.reader.anyList.count == 0)
  }

  @Test func readsWhatItBuilt() throws {
    let message = MessageBuilder()
    Self.build(message.initRoot())
    try Self.check(message.root(as: Everything.Builder.self).reader)
  }

  @Test func capnpDecodesWhatItBuilt() throws {
    let message = MessageBuilder()
    let target: Everything.Builder = message.initRoot()
    Self.build(target)
    // A pointer of unknown type has no text.
    target.any.clear()
    let expected = try Oracle.encode(Self.text, as: "Everything")
    #expect(
      try Oracle.decode(message.flattened(), as: "Everything")
        == Oracle.decode(expected, as: "Everything"))
  }

  @Test func readsWhatCapnpEncodes() throws {
    let message = try MessageReader(flat: Oracle.encode(Self.text, as: "Everything"))
    try Self.check(try message.root())
  }

  @Test func absentFieldsReadAsZero() throws {
    let message = try MessageReader(flat: Oracle.encode("()", as: "Everything"))
    let reader: Everything.Reader = try message.root()
    #expect(reader.bool == false)
    #expect(reader.uInt64 == 0)
    #expect(reader.color == .red)
    #expect(try reader.text.isEmpty == true)
    #expect(try reader.children.isEmpty == true)
    #expect(try reader.child.child.child.int8 == 0)
    #expect(reader.hasChild == false)
    #expect(reader.any.isNull == true)
  }

  @Test func copiesBetweenMessages() throws {
    let source = MessageBuilder()
    Self.build(source.initRoot())
    let whole = source.root(as: Everything.Builder.self).reader
    let target = MessageBuilder()
    let copy: Everything.Builder = target.initRoot()
    try copy.setChild(whole)
    try copy.setMatrix(whole.matrix)
    try copy.setAny(whole.any)
    try Self.check(copy.reader.child)
    #expect(try copy.reader.matrix.count == 2)
    #expect(try copy.reader.any.structure(as: Point.Reader.self).x == 5)
    copy.childField.clear()
    #expect(copy.childField.isSet == false)
  }

  @Test func bytesAreSetWithoutAString() throws {
    let message = MessageBuilder()
    let target: Everything.Builder = message.initRoot()
    let bytes: [UInt8] = [104, 105]
    target.setText(utf8: bytes.span)
    target.setData(bytes.span)
    #expect(target.text == "hi")
    #expect(target.data == [104, 105])
  }

  @Test func unknownEnumerantsAreKept() throws {
    let message = MessageBuilder()
    let target: Everything.Builder = message.initRoot()
    target.color = .unknown(999)
    #expect(target.reader.color == .unknown(999))
    #expect(target.reader.color.rawValue == 999)
    #expect(Color(rawValue: 5) == .unknown_)
  }
}
