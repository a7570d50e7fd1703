import Foundation
import Testing

/// How deep messages may be nested, and how their types may be named.
extension CommandTests {
  private static let files = [
    "p.capnp": """
    @0x9a8b7c6d5e4f3021;
    using Other = import "other.capnp";
    struct Node { next @0 :Node; list @1 :List(Node); n @2 :Int8; }
    struct Box(T) { value @0 :T; struct Inner { inner @0 :T; } }
    using Alias = Node;
    using Boxed = Box(Node);
    using Far = Other.Thing;
    using Words = List(Text);
    interface Service {}
    """,
    "other.capnp": "@0x9a8b7c6d5e4f3022;\nstruct Thing { name @0 :Text; }",
  ]

  private static func nested(_ depth: Int, open: String, close: String) -> [UInt8] {
    Array(
      (String(repeating: open, count: depth) + "(n = 1)" + String(repeating: close, count: depth))
        .utf8)
  }

  @Test(arguments: [
    ("Alias", "(n = 1)"), ("Box(Text)", "(value = \"a\")"), ("Boxed", "(value = (n = 1))"),
    ("Box(Alias)", "(value = (n = 1))"), ("Box(Box(Text))", "(value = (value = \"a\"))"),
    ("Box( List( Text ) )", "(value = [\"a\", \"b\"])"), (".Node", "(n = 1)"),
    ("Box(Text).Inner", "(inner = \"a\")"), ("Box(.Node)", "(value = (n = 1))"),
    ("Far", "(name = \"x\")"), ("Other.Thing", "(name = \"x\")"),
    ("Box(Other.Thing)", "(value = (name = \"x\"))"),
  ])
  func `a type is named as the tool takes it`(type: String, text: String) throws {
    try withFiles(Self.files) { folder in
      let binary = try capnp(["encode", "p.capnp", type], input: Array(text.utf8), in: folder)
      for command in [["decode", "--short"], ["convert", "binary:text", "--short"]] {
        let ours = try run(command + ["p.capnp", type], input: binary, in: folder)
        #expect(ours.status == 0, "\(ours.errors)")
        #expect(
          try ours.output
            == capnp(["decode", "--short", "p.capnp", type], input: binary, in: folder))
      }
      let encoded = try run(["encode", "p.capnp", type], input: Array(text.utf8), in: folder)
      #expect(encoded.status == 0, "\(encoded.errors)")
      #expect(
        try capnp(["decode", "--short", "p.capnp", type], input: encoded.output, in: folder)
          == capnp(["decode", "--short", "p.capnp", type], input: binary, in: folder))
    }
  }

  @Test(arguments: [
    ("Nobody", "there is no struct 'Nobody': "),
    ("Box(Nobody)", "there is no struct 'Box(Nobody)': "),
    ("Words", "'Words' is List(Text), which is not a struct"),
    ("Text", "'Text' is Text, which is not a struct"),
    ("Service", "p.capnp:Service, which is not a struct"),
    ("Box(Text", "'Box(Text' is not a type"), ("Box)", "'Box)' is not a type"),
    ("Node; }", "'Node; }' is not a type"), ("", "'' is not a type"),
    ("Box(Int8)", "there is no struct 'Box(Int8)': "),
  ])
  func `a type that is none is named`(type: String, words: String) throws {
    try withFiles(Self.files) { folder in
      let result = try run(["decode", "p.capnp", type], in: folder)
      #expect(result.status == 2)
      // The schema compiler may warn of the tests' environment.
      let error = result.errors.split(separator: "\n").last.map(String.init) ?? ""
      #expect(error.hasPrefix("capnp-swift: error: "), "\(result.errors)")
      #expect(error.contains(words), "\(result.errors)")
    }
  }

  @Test func `messages are nested as deep as the tool takes them`() throws {
    try withFiles(Self.files) { folder in
      for (open, close) in [("(next = ", ")"), ("(list = [", "])")] {
        let binary = try capnp(
          ["encode", "p.capnp", "Node"], input: Self.nested(300, open: open, close: close),
          in: folder)
        let ours = try run(["decode", "--short", "p.capnp", "Node"], input: binary, in: folder)
        #expect(ours.status == 0, "\(ours.errors)")
        #expect(
          try ours.output
            == capnp(["decode", "--short", "p.capnp", "Node"], input: binary, in: folder))
      }
    }
  }

  @Test func `the depth is an option`() throws {
    try withFiles(Self.files) { folder in
      let text = Self.nested(9000, open: "(next = ", close: ")")
      let shallow = try run(["encode", "p.capnp", "Node"], input: text, in: folder)
      #expect(shallow.status == 1)
      #expect(shallow.errors.contains("see --nesting-depth"), "\(shallow.errors)")
      let deep = ["--nesting-depth", "10000"]
      let binary = try run(["encode", "p.capnp", "Node"] + deep, input: text, in: folder)
      #expect(binary.status == 0, "\(binary.errors)")
      let refused = try run(["decode", "p.capnp", "Node"], input: binary.output, in: folder)
      #expect(refused.status == 1)
      #expect(refused.errors.contains("see --nesting-depth"), "\(refused.errors)")
      var outputs: [String: [UInt8]] = [:]
      for form in ["text", "json", "canonical", "packed", "flat"] {
        let result = try run(
          ["convert", "binary:\(form)", "--short", "p.capnp", "Node"] + deep,
          input: binary.output, in: folder)
        #expect(result.status == 0, "\(form): \(result.errors)")
        outputs[form] = result.output
      }
      for form in ["text", "json", "canonical"] {
        let result = try run(
          ["convert", "\(form):canonical", "p.capnp", "Node"] + deep, input: outputs[form] ?? [],
          in: folder)
        #expect(result.output == outputs["canonical"], "\(form): \(result.errors)")
      }
    }
  }

  @Test(arguments: ["0", "-1", "10001", "9223372036854775807", "9223372036854775808"])
  func `a depth out of range is refused with the limit`(depth: String) throws {
    try withFiles(Self.files) { folder in
      let result = try run(
        ["decode", "p.capnp", "Node", "--nesting-depth=\(depth)"], in: folder)
      #expect(result.status == 2)
      #expect(result.errors.contains("1 to 10000"), "\(result.errors)")
    }
  }
}
