import CapnProto
import Testing

@Suite struct DefaultsTests {
  private static func check(_ reader: Defaults.Reader) throws {
    #expect(reader.bool == true)
    #expect(reader.int8 == .min)
    #expect(reader.int16 == .min)
    #expect(reader.int32 == .min)
    #expect(reader.int64 == .min)
    #expect(reader.uInt8 == .max)
    #expect(reader.uInt16 == .max)
    #expect(reader.uInt32 == .max)
    #expect(reader.uInt64 == .max)
    #expect(reader.float32 == 1.5e-10)
    #expect(reader.float64 == -2.25e100)
    #expect(reader.infinite == -.infinity)
    #expect(reader.notANumber.isNaN == true)
    #expect(try reader.text.string == "line\n\"quoted\" \\ äöü \u{1}")
    #expect(try reader.data.array == [0, 255, 16])
    #expect(reader.color == .blue)
    #expect(try reader.point.x == 3)
    #expect(try reader.point.y == -4)
    #expect(try reader.int32s.array == [1, -2, 3])
    #expect(try reader.texts.map { $0.string } == ["a", "", "ccc"])
    #expect(try reader.points.map { [$0.x, $0.y] } == [[1, 0], [0, 2]])
  }

  @Test func absentFieldsReadAsTheirDefaults() throws {
    let message = MessageBuilder()
    let target: Defaults.Builder = message.initRoot()
    try Self.check(target.reader)
    #expect(target.pointField.isSet == false)
    #expect(target.text == "line\n\"quoted\" \\ äöü \u{1}")
    #expect(target.data == [0, 255, 16])
    #expect(target.int8 == .min)
  }

  @Test func defaultsAreThoseOfCapnp() throws {
    // A message of an older schema: no sections at all.
    let message = MessageBuilder()
    _ = message.initRoot(as: Unused.Builder.self)
    let text = try Oracle.decode(message.flattened(), as: "Defaults")
    #expect(text.hasPrefix("(bool = true, int8 = -128, int16 = -32768,"))
    let reader = try MessageReader(flat: message.flattened())
    try Self.check(try reader.root())
  }

  @Test func capnpReadsValuesSetOverDefaults() throws {
    let message = MessageBuilder()
    let target: Defaults.Builder = message.initRoot()
    target.bool = false
    target.int8 = 1
    target.uInt64 = 2
    target.float64 = 3.5
    target.color = .red
    target.text = ""
    target.data = []
    #expect(target.text.isEmpty == true)
    let text = try Oracle.decode(message.flattened(), as: "Defaults")
    for expected in [
      "bool = false", "int8 = 1", "uInt64 = 2", "float64 = 3.5", "color = red", "text = \"\"",
    ] {
      #expect(text.contains(expected))
    }
  }

  @Test func buildersStartFromTheDefaultAndLeaveItAlone() throws {
    let message = MessageBuilder()
    let target: Defaults.Builder = message.initRoot()
    target.point.x = 100
    #expect(try target.reader.point.x == 100)
    #expect(try target.reader.point.y == -4)
    target.int32s[0] = 50
    #expect(try target.reader.int32s.array == [50, -2, 3])
    target.pointField.clear()
    #expect(try target.reader.point.x == 3)
  }
}
