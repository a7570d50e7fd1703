import CapnProto
import CapnProtoSchema
import Testing

@Suite struct TextTests {
  /// A message of the type, built from our reading of the text.
  static func message(_ type: String, _ text: String) throws -> [UInt8] {
    let schema = try Oracle.everything(type)
    let message = MessageBuilder()
    try build(message, schema, text)
    return message.flattened()
  }

  private static func build(
    _ message: borrowing MessageBuilder, _ schema: StructSchema, _ text: String
  ) throws {
    try TextCodec().decode(Array(text.utf8), into: message.initRoot(as: schema))
  }

  /// Our print of the message.
  static func print(_ type: String, _ bytes: [UInt8], isPretty: Bool) throws -> String {
    let schema = try Oracle.everything(type)
    let message = try MessageReader(flat: bytes)
    return try TextCodec(isPretty: isPretty).encode(try message.root(as: schema)).text
  }

  static let values: [(type: String, text: String)] = [
    ("Everything", "()"),
    (
      "Everything",
      """
      (bool = true, int8 = -128, int16 = -32768, int32 = -2147483648,
       int64 = -9223372036854775808, uint8 = 255, uint16 = 0xffff, uint32 = 4294967295,
       uint64 = 18446744073709551615, float32 = 1.5e-10, float64 = - inf, text = "a\\tb\\x41\\101é",
       data = 0x"00 ff 41 0a", color = darkBlue, child = (text = "child"))
      """
    ),
    (
      "Everything",
      """
      (voids = [void, void], bools = [true, false, true], int8s = [-1, 2], int16s = [1, -300],
       int32s = [70000], int64s = [1], uint8s = [200], uint16s = [60000], uint32s = [4000000000],
       uint64s = [1], float32s = [0.1, 1e10, 123456789, nan, inf, 16777217, 1e-45],
       float64s = [0.1, 1e15, 1e16, 1e21, 1e-4, 1e-5, 5e-324, 1.7976931348623157e308,
         0.30000000000000004, 5.000000000000001, 2.2250738585072014e-308],
       texts = ["one", "", "three"], datas = ["x", ""], colors = [red, green],
       children = [(), (int8 = 1)], matrix = [[1, 2], [], [3]], names = [["a"], []])
      """
    ),
    ("Everything", "(number = 3)"),
    ("Everything", "(word = \"w\", shape = (circle = 2.5))"),
    ("Everything", "(pair = (left = 7, right = \"r\"), shape = (box = (width = 1, height = 2)))"),
    (
      "Everything", "(choice = (c = [(a = \"x\"), (b = 1)], after = \"z\"), shape = (label = \"\"))"
    ),
    ("Everything", "(position = (x = 4, y = -4, name = \"here\"))"),
    (
      "Everything",
      """
      (boxed = (value = "text", weight = 3), nested = (value = (value = (b = 3))),
       unbound = (weight = 9), boxes = [(value = [1, 2]), (weight = 4)])
      """
    ),
    ("Defaults", "()"),
    ("Defaults", "(bool = false, int8 = 0, text = \"\", choice = (a = \"\"), numbers = [])"),
    (
      "Everything",
      """
      (text = "long long long long long long long long long long long long long long long long",
       texts = ["long long long long long long long", "b"],
       children = [(text = "long long long long long long long long", int8s = [1, 2, 3]), ()],
       names = [["long long long long long long long long", "x"], ["y"]])
      """
    ),
    (
      "Everything",
      "(texts = [\"a\", \"\(String(repeating: "x", count: 300))\", \"b\", \"\(String(repeating: "y", count: 253))\"])"
    ),
    ("Choice", "(a = \"\")"), ("Choice", "(after = \"x\") # a comment"), ("Choice", "(b = 0x7f,)"),
    ("Choice", "(b = 017, after = \"one \" \"two\")"),
  ]

  @Test(arguments: values) func textIsReadAsTheToolReadsIt(type: String, text: String) throws {
    let ours = try Self.message(type, text)
    let theirs = try Oracle.convert(
      "text:canonical", "everything.capnp", type, Array(text.utf8))
    // The canonical form is the one form that does not depend on the order of allocation.
    let canonical = try Oracle.convert("binary:canonical", "everything.capnp", type, ours)
    #expect(canonical == theirs)
  }

  @Test(arguments: values) func textIsPrintedAsTheToolPrintsIt(type: String, text: String) throws {
    let bytes = try Oracle.convert("text:binary", "everything.capnp", type, Array(text.utf8))
    let pretty = try Oracle.convert("binary:text", "everything.capnp", type, bytes)
    #expect(try Self.print(type, bytes, isPretty: true) + "\n" == pretty.text)
    let short = try Oracle.convert(
      "binary:text", "everything.capnp", type, bytes, options: ["--short"])
    #expect(try Self.print(type, bytes, isPretty: false) + "\n" == short.text)
  }

  @Test(arguments: values) func printedTextIsReadBack(type: String, text: String) throws {
    let bytes = try Self.message(type, text)
    for isPretty in [true, false] {
      let printed = try Self.print(type, bytes, isPretty: isPretty)
      #expect(
        try Self.print(type, try Self.message(type, printed), isPretty: isPretty) == printed)
    }
  }

  @Test func bytesThatAreNoTextArePrintedAsTheyAre() throws {
    let schema = try Oracle.everything("Choice")
    let message = MessageBuilder()
    try TextCodec().decode(
      Array(#"(a = "\xff\x01\x7f'")"#.utf8), into: message.initRoot(as: schema))
    let bytes = message.flattened()
    let reader = try MessageReader(flat: bytes)
    let ours = try TextCodec().encode(try reader.root(as: schema))
    #expect(ours + [10] == (try Oracle.convert("binary:text", "everything.capnp", "Choice", bytes)))
  }

  /// Each number is nearer to the upper of two Float32 by a digit that a Float64 has not.
  @Test func aFloatIsRoundedOnce() throws {
    let text = "(float32 = 1.000000298023223876953126, float32s = [16777217.0000000001])"
    let printed = try Self.print(
      "Everything", try Self.message("Everything", text), isPretty: false)
    #expect(printed.contains("float32 = 1.0000004,"), "\(printed)")
    #expect(printed.contains("float32s = [16777218]"), "\(printed)")
  }

  @Test func unknownEnumerantsAndMembersSurvive() throws {
    let text = "(color = (77), colors = [(9), red])"
    #expect(
      try Self.print("Everything", try Self.message("Everything", text), isPretty: false)
        .contains("color = (77)"))
    #expect(
      try Self.print("Everything", try Self.message("Everything", text), isPretty: false)
        .contains("colors = [(9), red]"))
  }

  @Test(arguments: [
    ("(", "1:2: the text ends too early"),
    ("(int8 = 200)", "1:9: 200 is out of range for Int8"),
    ("(int8 = -129)", "1:9: -129 is out of range for Int8"),
    ("(uint8 = -1)", "1:10: -1 is out of range for UInt8"),
    ("(int64 = 18446744073709551616)", "1:10: 18446744073709551616 is out of range for UInt64"),
    ("(uint64 = 0x10000000000000000)", "1:11: 0x10000000000000000 is out of range for UInt64"),
    ("(float64 = 1e400)", "1:12: 1e400 is out of range for Float64"),
    ("(float64 = -1e400)", "1:12: -1e400 is out of range for Float64"),
    ("(float32 = 3.5e38)", "1:12: 3.5e38 is out of range for Float32"),
    ("(float32s = [1, -3.5e38])", "1:17: -3.5e38 is out of range for Float32"),
    ("(float64 = 1e9999999999999999999)", "1:12: 1e9999999999999999999 is out of range"),
    ("(float64 = 1.2.3)", "1:12: '1.2.3' is no number"),
    ("(float64 = 1e)", "1:12: '1e' is no number"),
    ("(int64 = 1e2)", "1:10: expected Int64, found a float"),
    ("(int64 = -9223372036854775809)", "1:10: -9223372036854775809 is out of range for Int64"),
    ("(int8 = 1.5)", "1:9: expected Int8, found a float"),
    ("(int8 = 09)", "1:9: '09' is no number"),
    ("(int8 = 0x)", "1:9: '0x)' is no number"),
    ("(nope = 1)", "1:9: everything.capnp:Everything has no 'nope'"),
    ("(text = 1)", "1:9: expected Text, found an integer"),
    ("(text = \"a\nb\")", "1:11: expected '\"' before the end of the line"),
    ("(text = \"\\q\")", "1:10: this escape sequence is not known"),
    ("(text = \"\\x4\")", "1:10: this escape sequence is not known"),
    ("(text = \"\\400\")", "1:10: this escape sequence is not known"),
    ("(data = 0x\"0\")", "1:13: these bytes are not written as they should be"),
    ("(data = 0x\"0 0\")", "1:13: these bytes are not written as they should be"),
    ("(color = blue)", "1:10: expected an enumerant of everything.capnp:Color, found 'blue'"),
    ("(bool = 1)", "1:9: expected Bool, found an integer"),
    ("(bools = [true\n, fals])", "2:3: expected Bool, found 'fals'"),
    ("(int8s = 3)", "1:10: expected List(Int8), found an integer"),
    ("(child = [])", "1:10: expected everything.capnp:Everything, found a list"),
    ("(child = 1)", "1:10: expected everything.capnp:Everything, found an integer"),
    ("(colors = 3)", "1:11: expected List(everything.capnp:Color), found an integer"),
    ("(boxed = 3)", "1:10: expected everything.capnp:Box(Text), found an integer"),
    ("(color = 1.5)", "1:10: expected everything.capnp:Color, found a float"),
    ("(child = blue)", "1:10: expected everything.capnp:Everything, found 'blue'"),
    ("(3)", "1:2: expected the name of a field"),
    ("(int8s = [,])", "1:11: expected a value"),
    ("() ()", "1:4: expected the end of the text"), ("", "1:1: the text ends too early"),
    ("(bool = true int8 = 1)", "1:14: expected ',' or ')'"),
    (
      String(repeating: "(child = ", count: 200), "1:1153: more than 128 levels"
    ),
  ])
  func mistakesAreNamedWithTheirPlace(text: String, error: String) throws {
    let failure = #expect(throws: CodecError.self) { try Self.message("Everything", text) }
    let description = "\(try #require(failure))"
    #expect(description.hasPrefix(error), "\(description)")
  }

  @Test func listsThatAShortTextMakesLargeAreRefused() throws {
    let schema = try Oracle.everything()
    let text = "(children = [\(String(repeating: "(),", count: 1000))])"
    let codec = TextCodec(limits: CodecLimits(nestingDepth: 64, words: 10000, bytes: 1000))
    let message = MessageBuilder()
    let failure = #expect(throws: CodecError.self) {
      try codec.decode(Array(text.utf8), into: message.initRoot(as: schema))
    }
    #expect(failure?.problem == .tooLarge(limit: 10000))
  }

  @Test func printingEndsAtItsLimit() throws {
    let schema = try Oracle.everything()
    let bytes = try Self.message(
      "Everything", "(voids = [\(String(repeating: "void,", count: 500))])")
    let message = try MessageReader(flat: bytes)
    let codec = TextCodec(limits: CodecLimits(nestingDepth: 64, words: 1000, bytes: 900))
    #expect(throws: CodecError.self) { try codec.encode(try message.root(as: schema)) }
  }
}
