import CapnProto
import Testing

func fillScalars(_ sample: Sample.Builder) {
  sample.a = .max
  sample.b = .min
  sample.c = 0xdead_beef
  sample.d = -1.5
  sample.e = -300
  sample.f = 60000
  sample.g = 200
  sample.h = -100
  sample.flag = true
  sample.other = false
  sample.x = 1e300
  sample.color = .unknown(500)
  sample.seven = 8
}

func expectScalars(_ sample: Sample.Reader) {
  #expect(sample.a == .max && sample.b == .min && sample.c == 0xdead_beef && sample.d == -1.5)
  #expect(sample.e == -300 && sample.f == 60000 && sample.g == 200 && sample.h == -100)
  #expect(sample.flag && !sample.other && sample.x == 1e300 && sample.seven == 8)
  #expect(sample.color == .unknown(500))
}

/// Sets every field, so that every kind of pointer is there.
func fill(_ sample: Sample.Builder) {
  fillScalars(sample)
  sample.color = .blue
  sample.text = "text of the sample"
  sample.data = [1, 2, 3]
  sample.initChild().text = "child"
  let numbers = sample.initNumbers(5)
  for index in numbers.indices { numbers[index] = UInt16(1000 * index) }
  let bools = sample.initBools(11)
  bools[0] = true
  bools[10] = true
  let texts = sample.initTexts(3)
  texts[0] = "zero"
  texts[1] = ""
  texts[2] = "two"
  let children = sample.initChildren(2)
  children[0].a = 10
  children[1].initChild().text = "grandchild"
  let nested = sample.initNested(3)
  let first = nested.initList(0, count: 3)
  for index in first.indices { first[index] = UInt8(index) }
  _ = nested.initList(1, count: 0)
  _ = nested.initList(2, count: 0)
  _ = sample.initVoids(4)
  sample.any.initStructure(as: Small.Builder.self).text = "anything"
  let colors = sample.initColors(2)
  colors[0] = .green
  colors[1] = .blue
}

func expectFilled(_ sample: Sample.Reader, any: Bool = true) throws {
  #expect(sample.a == .max && sample.seven == 8 && !sample.other && sample.color == .blue)
  #expect(try sample.text == "text of the sample")
  #expect(try sample.data.array == [1, 2, 3])
  #expect(try sample.child.text.string == "child")
  #expect(try sample.numbers.array == [0, 1000, 2000, 3000, 4000])
  #expect(
    try sample.bools.array == [true] + [Bool](repeating: false, count: 9) + [true])
  #expect(try sample.texts.map { $0.string } == ["zero", "", "two"])
  #expect(try sample.children.map { $0.a } == [10, 0])
  #expect(try sample.children[1].child.text == "grandchild")
  #expect(try sample.nested.map { $0.array } == [[0, 1, 2], [], []])
  #expect(try sample.voids.count == 4)
  if any {
    #expect(try sample.any.structure(as: Small.Reader.self).text == "anything")
  }
  #expect(try sample.colors.array == [.green, .blue])
}

/// A message of many segments with every field set.
func frozenSample() -> MessageReader {
  let message = tinyMessage()
  message.build(Sample.Builder.self) { fill($0) }
  return message.freeze()
}
