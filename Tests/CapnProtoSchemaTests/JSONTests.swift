import CapnProto
import CapnProtoSchema
import Testing

@Suite struct JSONTests {
  static func message(
    _ type: String, _ text: String, codec: JSONCodec = JSONCodec()
  ) throws -> [UInt8] {
    let schema = try Oracle.everything(type)
    let message = MessageBuilder()
    try build(message, schema, text, codec)
    return message.flattened()
  }

  private static func build(
    _ message: borrowing MessageBuilder, _ schema: StructSchema, _ text: String, _ codec: JSONCodec
  ) throws {
    try codec.decode(Array(text.utf8), into: message.initRoot(as: schema))
  }

  static func print(_ type: String, _ bytes: [UInt8], isPretty: Bool) throws -> String {
    let schema = try Oracle.everything(type)
    let message = try MessageReader(flat: bytes)
    return try JSONCodec(isPretty: isPretty).encode(try message.root(as: schema)).text
  }

  static let values =
    TextTests.values + [
      ("Json2", "()"),
      (
        "Json2",
        """
        (renamed = "r", flat = (one = 1, two = "2"), prefixed = (a = 3, b = "bee"),
         bytes = "hello world", hex = 0x"dead beef", plain = "abc", colors = [red, darkBlue],
         big = -9223372036854775808, bigs = [18446744073709551615])
        """
      ),
      ("Json2", "(bytes = \"a\", shared = (text = \"t\"), word = \"w\")"),
      ("Json2", "(bytes = \"ab\", flatMember = (a = 1, b = \"x\"), tagged = (y = void))"),
      ("Json2", "(groupMember = (left = 1, right = 2), shared = (number = inf))"),
      ("Json2", "(renamedMember = 12, tagged = (x = 3), hex = \"\")"),
    ]

  @Test(arguments: values) func jsonIsPrintedAsTheToolPrintsIt(type: String, text: String) throws {
    let bytes = try Oracle.convert("text:binary", "everything.capnp", type, Array(text.utf8))
    let pretty = try Oracle.convert("binary:json", "everything.capnp", type, bytes)
    #expect(try Self.print(type, bytes, isPretty: true) + "\n" == pretty.text)
    let short = try Oracle.convert(
      "binary:json", "everything.capnp", type, bytes, options: ["--short"])
    #expect(try Self.print(type, bytes, isPretty: false) + "\n" == short.text)
  }

  @Test(arguments: values) func jsonIsReadAsTheToolReadsIt(type: String, text: String) throws {
    let json = try Oracle.convert("text:json", "everything.capnp", type, Array(text.utf8))
    let ours = try Self.message(type, json.text)
    #expect(
      try Oracle.convert("binary:canonical", "everything.capnp", type, ours)
        == Oracle.convert("json:canonical", "everything.capnp", type, json))
  }

  @Test(arguments: [
    ("Everything", #"{"float64": null, "int8": "12", "int64": 13, "float32": "Infinity"}"#),
    ("Everything", #"{"uint64": "18446744073709551615", "float64": "-inf", "nope": [1, {}]}"#),
    ("Everything", #"{"color": "dark-blue", "colors": [7, "red"], "int8": 1e2}"#),
    ("Everything", #"{"text": "a", "text": "b", "word": "first", "number": 5}"#),
    ("Everything", #"{"data": [1, 2, 255], "void": null, "bools": [true]}"#),
    ("Json2", #"{"payload": "late", "shared": "text", "kind": "word", "word": "w"}"#),
    ("Json2", #"{"p.bee": "x", "m.a": 3, "kind": "flatMember"}"#),
    ("Json2", #"{"right": 3, "left": 2, "another-name": "n", "kind": "groupMember"}"#),
    ("Json2", #"{"right": 3, "m.a": 1, "payload": 5}"#), ("Json2", #"{"word": "w"}"#),
    ("Json2", #"{"kind": "word", "other": 5, "tagged": {"y": null}}"#),
    ("Json2", #"{"bytes": "aGVsbG8", "hex": "DEAD"}"#),
  ])
  func jsonByHandIsReadAsTheToolReadsIt(type: String, json: String) throws {
    #expect(
      try Oracle.convert(
        "binary:canonical", "everything.capnp", type, try Self.message(type, json))
        == Oracle.convert("json:canonical", "everything.capnp", type, Array(json.utf8)))
  }

  @Test func charactersOfEveryPlaneAreRead() throws {
    // The tool of this version garbles these escapes.
    let bytes = try Self.message("Choice", #"{"a": "\u00e9\ud83d\ude00\u001f\/"}"#)
    #expect(try TextTests.print("Choice", bytes, isPretty: false) == "(a = \"é😀\\037/\")")
  }

  @Test func integersOf64BitsKeepTheirDigits() throws {
    let bytes = try Self.message(
      "Everything", #"{"int64": 9007199254740993, "uint64": 18446744073709551615}"#)
    let text = try TextTests.print("Everything", bytes, isPretty: false)
    #expect(text.contains("int64 = 9007199254740993"))
    #expect(text.contains("uint64 = 18446744073709551615"))
  }

  @Test(arguments: [
    ("1e19", "10000000000000000000"), ("1e3", "1000"), ("18e18", "18000000000000000000"),
  ])
  func wholeNumbersMayHaveExponents(number: String, value: String) throws {
    let bytes = try Self.message("Everything", "{\"uint64\": \(number)}")
    let text = try TextTests.print("Everything", bytes, isPretty: false)
    #expect(text.contains("uint64 = \(value)"))
  }

  /// Text for a field, and what the field is then: its text, or what is wrong.
  @Test(arguments: [
    ("int64", "-9223372036854775808", "-9223372036854775808"),
    ("int64", "-9223372036854775809", "-9223372036854775809 is out of range for Int64"),
    ("int64", "9223372036854775807", "9223372036854775807"),
    ("int64", "9223372036854775808", "9223372036854775808 is out of range for Int64"),
    ("int64", "9007199254740993.0", "9007199254740993"),
    ("int64", "900719925474099.3e1", "9007199254740993"),
    ("int64", "9223372036854775807.5", "'9223372036854775807.5' is no number"),
    ("uint64", "18446744073709551615", "18446744073709551615"),
    ("uint64", "1844674407370955161.5e1", "18446744073709551615"),
    ("uint64", "18446744073709551616", "18446744073709551616 is out of range for UInt64"),
    ("uint64", "-1", "-1 is out of range for UInt64"), ("uint64", "-0", "0"),
    ("uint64", "-0.0e5", "0"), ("uint64", "0e99999999999999999999", "0"),
    ("uint64", "1e99999999999999999999", "1e99999999999999999999 is out of range for UInt64"),
    ("uint64", "1e-99999999999999999999", "'1e-99999999999999999999' is no number"),
    ("int32", "2147483648", "2147483648 is out of range for Int32"),
    ("int16", "-32769", "-32769 is out of range for Int16"),
    ("int8", "128", "128 is out of range for Int8"), ("int8", "-128", "-128"),
    ("uint32", "4294967296", "4294967296 is out of range for UInt32"),
    ("uint16", "65536", "65536 is out of range for UInt16"),
    ("uint8", "256", "256 is out of range for UInt8"), ("uint8", "2.55e2", "255"),
    ("float64", "1e400", "1e400 is out of range for Float64"),
    ("float64", "-1e400", "-1e400 is out of range for Float64"),
    ("float64", "1.7976931348623157e308", "1.7976931348623157e308"),
    ("float32", "3.5e38", "3.5e38 is out of range for Float32"),
    ("float32", "3.4028235e38", "3.4028235e38"),
    ("float32", "1.000000298023223876953126", "1.0000004"),
    ("float64", "5e-324", "4.94065645841247e-324"),
  ])
  func `a number is kept to its last digit, or refused`(
    field: String, number: String, outcome: String
  ) throws {
    // Numbers of 64 bits are strings, so that programs that have doubles only keep them.
    for literal in [number, "\"\(number)\""] {
      do {
        let bytes = try Self.message("Everything", "{\"\(field)\": \(literal)}")
        let text = try TextTests.print("Everything", bytes, isPretty: false)
        #expect(text.contains("\(field) = \(outcome)"), "\(literal): \(text)")
      } catch let error as CodecError {
        #expect("\(error.problem)" == outcome, "\(literal)")
      }
    }
  }

  @Test(arguments: [
    (#"{"float64": "1e400"}"#, "1:13: 1e400 is out of range for Float64"),
    (#"{"float64": "0x1p99999"}"#, "1:13: '0x1p99999' is no number"),
    (#"{"float64": "infinit"}"#, "1:13: 'infinit' is no number"),
    (#"{"int8": "Infinity"}"#, "1:10: 'Infinity' is no number"),
    (#"{"int8": ""}"#, "1:10: '' is no number"), (#"{"int8": "1 "}"#, "1:10: '1 ' is no number"),
    (#"{"color": 65536}"#, "1:11: 65536 is out of range for everything.capnp:Color"),
    (#"{"color": 0.5}"#, "1:11: '0.5' is no number"),
    (#"{"data": [1, 256]}"#, "1:10: these bytes"), (#"{"data": [0.5]}"#, "1:10: these bytes"),
    (#"{"float32s": [3.5e38]}"#, "1:15: 3.5e38 is out of range for Float32"),
    (#"{"child": 3}"#, "1:11: expected everything.capnp:Everything, found a number"),
    (#"{"children": [3]}"#, "1:15: expected everything.capnp:Everything, found a number"),
    (#"{"boxed": 3}"#, "1:11: expected everything.capnp:Box(Text), found a number"),
  ])
  func `numbers and types that do not fit are named`(json: String, error: String) throws {
    let failure = #expect(throws: CodecError.self) { try Self.message("Everything", json) }
    let description = "\(try #require(failure))"
    #expect(description.hasPrefix(error), "\(description)")
  }

  @Test func `a whole number with a point is an enumerant and a byte, too`() throws {
    let bytes = try Self.message("Everything", #"{"color": 2.0, "data": [1.0, 2.55e2]}"#)
    let text = try TextTests.print("Everything", bytes, isPretty: false)
    #expect(text.contains(#"data = "\001\377", color = darkBlue"#), "\(text)")
  }

  @Test func `a value of JSON has no infinite number`() throws {
    let schema = try Self.saying()
    for number in ["1e400", "-1e400"] {
      let message = MessageBuilder()
      #expect(throws: CodecError.self) {
        try JSONCodec().decode(
          Array("{\"v\": \(number)}".utf8), into: message.initRoot(as: schema))
      }
    }
  }

  @Test(arguments: [
    ("{\"a\": \"b\",}", "1:11: expected a name in quotes"), ("[1]", "1:1: expected"),
    ("{\"a\": \"b\"} x", "1:12: expected the end of the text"),
    ("", "1:1: the text ends too early"),
    ("{\n  \"b\": 300}", "2:8: 300 is out of range for Int8"),
    ("{\"b\": 1.5}", "1:7: '1.5' is no number"),
    ("{\"b\": null}", "1:7: expected Int8, found null"),
    ("{\"a\": null}", "1:7: expected Text, found null"),
    ("{\"b\": 01}", "1:8: expected ',' or '}'"),
    ("{\"b\": -}", "1:8: expected a digit"), ("{\"b\": 1.}", "1:9: expected a digit"),
    ("{\"b\": .5}", "1:7: expected a value"), ("{\"a\": \"\\ud800\"}", "1:8: this escape"),
    ("{\"a\": \"\\u12\"}", "1:8: this escape"), ("{\"a\": \"\\x\"}", "1:8: this escape"),
    ("{\"a\": \"\n\"}", "1:8: expected an escape"), ("{\"a\": \"x", "1:9: the text ends too early"),
    ("{\"c\": [{\"b\": 1},\n {\"b\": true}]}", "2:8: expected Int8, found a boolean"),
    ("{\"c\": {}}", "1:7: expected List"), ("nul", "1:1: expected 'null'"),
    (String(repeating: "[", count: 1000), "1:129: more than 128 levels"),
  ])
  func mistakesAreNamedWithTheirPlace(json: String, error: String) throws {
    let failure = #expect(throws: CodecError.self) { try Self.message("Choice", json) }
    let description = "\(try #require(failure))"
    #expect(description.hasPrefix(error), "\(description)")
  }

  @Test(arguments: [
    (#"{"bytes": "a"}"#, "1:11: these bytes"), (#"{"bytes": "a=b="}"#, "1:11: these bytes"),
    (#"{"hex": "abc"}"#, "1:9: these bytes"), (#"{"hex": "zz"}"#, "1:9: these bytes"),
    (#"{"plain": [256]}"#, "1:11: these bytes"), (#"{"plain": "abc"}"#, "1:11: these bytes"),
    (#"{"colors": ["darkBlue"]}"#, "1:13: everything.capnp:Color has no 'darkBlue'"),
  ])
  func mistakesInAnnotatedFieldsAreNamed(json: String, error: String) throws {
    let failure = #expect(throws: CodecError.self) { try Self.message("Json2", json) }
    let description = "\(try #require(failure))"
    #expect(description.hasPrefix(error), "\(description)")
  }

  @Test func unknownMembersAreRefusedOnRequest() throws {
    let codec = JSONCodec(rejectsUnknownMembers: true)
    for json in [#"{"zork": 1}"#, #"{"kind": "zork"}"#] {
      _ = try Self.message("Json2", json)
      #expect(throws: CodecError.self) { try Self.message("Json2", json, codec: codec) }
    }
  }

  @Test func capabilitiesAndAnyPointersCannotBeWritten() throws {
    let schema = try Oracle.everything("Pointers")
    let message = MessageBuilder()
    try message.initRoot(as: schema).value("any").anyPointer().setText("x")
    let reader = try MessageReader(flat: message.flattened())
    #expect(throws: CodecError.self) { try JSONCodec().encode(try reader.root(as: schema)) }
    #expect(throws: CodecError.self) { try Self.message("Pointers", #"{"any": 1}"#) }
    #expect(throws: CodecError.self) { try Self.message("Pointers", #"{"service": null}"#) }
  }

  /// The names of flattened fields are gathered by recursion, and are as many as the paths to them.
  @Test(arguments: [(fields: 1, types: 2000), (fields: 2, types: 40)])
  func fieldsAreNotFlattenedWithoutEnd(fields: Int, types: Int) throws {
    var source = """
      @0xa1b2c3d4e5f60719;
      using Json = import "/capnp/compat/json.capnp";
      struct S\(types) { x @0 :Int8; }

      """
    for index in 0..<types {
      let members = (0..<fields).map {
        "f\($0) @\($0) :S\(index + 1) $Json.flatten(prefix = \"\($0)\");"
      }
      source += "struct S\(index) { \(members.joined(separator: " ")) }\n"
    }
    let (schema, file) = try Oracle.schema(source: source)
    let structure = try #require(schema.structure(named: "S0", in: file))
    let message = MessageBuilder()
    let root = message.initRoot(as: structure)
    #expect(throws: CodecError.self) {
      try JSONCodec().decode(Array("{\"x\": 1}".utf8), into: root)
    }
    #expect(try JSONCodec().encode(root.reader) == Array("{}".utf8))
  }

  @Test func longPrefixesOfManyFieldsAreRefused() throws {
    let prefix = String(repeating: "p", count: 10_000)
    let fields = (0..<200).map { "f\($0) @\($0) :Void;" }.joined(separator: " ")
    let (schema, file) = try Oracle.schema(
      source: """
        @0xa1b2c3d4e5f6071b;
        using Json = import "/capnp/compat/json.capnp";
        struct A { b @0 :B $Json.flatten(prefix = "\(prefix)"); }
        struct B { \(fields) }
        """)
    let root = MessageBuilder()
    let structure = try #require(schema.structure(named: "A", in: file))
    #expect(throws: CodecError.self) {
      try JSONCodec().decode(Array("{}".utf8), into: root.initRoot(as: structure))
    }
  }

  /// Newer versions of `Value` have `raw`, which is no string.
  @Test func membersOfValueThatAreNotKnownAreRefused() throws {
    let (schema, file) = try Oracle.schema(
      source: """
        @0xa1b2c3d4e5f6071c;
        struct S { v @0 :Value; }
        struct Value @0xa3fa7845f919dd83 {
          union { null @0 :Void; raw @1 :Text; lines @2 :List(Text); string @3 :Text; }
        }
        """)
    let structure = try #require(schema.structure(named: "S", in: file))
    func json(_ text: String) throws -> [UInt8] {
      let message = MessageBuilder()
      let root = message.initRoot(as: structure)
      try TextCodec().decode(Array(text.utf8), into: root)
      return try JSONCodec(isPretty: false).encode(root.reader)
    }
    #expect(try json("(v = (string = \"a\"))") == Array(#"{"v":"a"}"#.utf8))
    #expect(throws: CodecError.self) { try json("(v = (raw = \"{}\"))") }
    #expect(throws: CodecError.self) { try json("(v = (lines = [\"a\"]))") }
  }

  private static func saying() throws -> StructSchema {
    let (schema, file) = try Oracle.schema(
      source: """
        @0xa1b2c3d4e5f6071a;
        using Json = import "/capnp/compat/json.capnp";
        struct S { v @0 :Json.Value; l @1 :List(Json.Value); f @2 :Json.Value.Field; n @3 :Int8; }
        """)
    return try #require(schema.structure(named: "S", in: file))
  }

  /// As the tool prints them.
  @Test(arguments: [
    (#"(v = (string = "x\"y"))"#, #"{"v":"x\"y","n":0}"#),
    (
      """
      (v = (array = [(null = void), (boolean = true), (number = 1.5),
        (object = [(name = "k", value = (number = 3)), (name = "n", value = (array = []))])]))
      """, #"{"v":[null,true,1.5,{"k":3,"n":[]}],"n":0}"#
    ),
    ("(v = (number = 1e300))", #"{"v":1e300,"n":0}"#),
    ("(v = (null = void), n = 3)", #"{"v":null,"n":3}"#),
    (
      #"(l = [(number = 1), (string = "x")], f = (name = "n", value = (boolean = true)))"#,
      #"{"l":[1,"x"],"f":{"name":"n","value":true},"n":0}"#
    ),
  ])
  func valuesOfJSONAreWrittenAsThemselves(text: String, json: String) throws {
    let schema = try Self.saying()
    let message = MessageBuilder()
    let root = message.initRoot(as: schema)
    try TextCodec().decode(Array(text.utf8), into: root)
    #expect(try JSONCodec(isPretty: false).encode(root.reader).text == json)
    let again = MessageBuilder()
    let copy = again.initRoot(as: schema)
    try JSONCodec().decode(Array(json.utf8), into: copy)
    #expect(try JSONCodec(isPretty: false).encode(copy.reader).text == json)
    #expect(
      try TextCodec().encode(copy.reader).text == TextCodec().encode(root.reader).text)
  }

  @Test func valuesThatAreNoJSONCannotBeWritten() throws {
    let schema = try Self.saying()
    for text in [
      "(v = (number = nan))", "(v = (number = -inf))", "(v = (call = (function = \"f\")))",
    ] {
      let message = MessageBuilder()
      let root = message.initRoot(as: schema)
      try TextCodec().decode(Array(text.utf8), into: root)
      #expect(throws: CodecError.self) { try JSONCodec().encode(root.reader) }
    }
  }
}
