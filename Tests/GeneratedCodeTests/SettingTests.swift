import CapnProto
import Testing

/// Fields that are set by values of Swift, or by what another message has.
@Suite struct SettingTests {
  @Test func listsAreSetFromSequences() throws {
    let message = MessageBuilder()
    let target: Everything.Builder = message.initRoot()
    target.setTexts(["one", "two"])
    target.setDatas([[1], [], [2, 3]])
    target.setUInt8s(stride(from: 0, to: 8, by: 2).lazy.map { UInt8($0) })
    target.setBools([true, false, true])
    target.setFloat64s([0.5])
    target.setColors([.blue, .red])
    target.setVoids(repeatElement(VoidValue(), count: 3))
    target.setMatrix([[1, 2], [], [3]])
    target.setNames([["a"], ["b", "c"]])
    target.setChildren(["first", "second"].enumerated()) {
      $0.text = $1.element
      $0.int8 = Int8($1.offset)
    }
    let reader = target.reader
    #expect(try reader.texts.map { $0.string } == ["one", "two"])
    #expect(try reader.datas.map { $0.array } == [[1], [], [2, 3]])
    #expect(try reader.uInt8s.array == [0, 2, 4, 6])
    #expect(try reader.bools.array == [true, false, true])
    #expect(try reader.float64s.array == [0.5])
    #expect(try reader.colors.array == [.blue, .red])
    #expect(try reader.voids.count == 3)
    #expect(try reader.matrix.map { $0.array } == [[1, 2], [], [3]])
    #expect(try reader.names.map { try $0.map { $0.string } } == [["a"], ["b", "c"]])
    #expect(try reader.children.map { try $0.text.string } == ["first", "second"])
    #expect(try reader.children[1].int8 == 1)
  }

  @Test func aListIsSetFromWhatItReplaces() throws {
    let message = MessageBuilder()
    let target: Everything.Builder = message.initRoot()
    target.setTexts(["one", "two"])
    let texts = target.texts
    target.setTexts(texts.indices.map { texts[$0] + "!" }.reversed())
    #expect(try target.reader.texts.map { $0.string } == ["two!", "one!"])
  }

  @Test func settingAListSelectsItInItsUnion() throws {
    let message = MessageBuilder()
    let target: Unions.Builder = message.initRoot()
    target.setList([4, 5])
    guard case .list(let list) = try target.reader.which else {
      Issue.record("not selected")
      return
    }
    #expect(list.array == [4, 5])
  }

  @Test func textsAndDataAreSetFromReaders() throws {
    let source = MessageBuilder()
    source.build(Everything.Builder.self) {
      $0.text = "text"
      $0.data = [1, 2, 3]
    }
    let reader = source.root(as: Everything.Builder.self).reader
    let message = MessageBuilder()
    let target: Everything.Builder = message.initRoot()
    target.setText(try reader.text)
    target.setData(try reader.data)
    #expect(target.text == "text")
    #expect(target.data == [1, 2, 3])
    let union: Unions.Builder = message.initRoot()
    union.setBytes(try reader.data)
    #expect(union.bytes == [1, 2, 3])
    union.setName(try reader.text)
    #expect(union.name == "text")
  }
}
