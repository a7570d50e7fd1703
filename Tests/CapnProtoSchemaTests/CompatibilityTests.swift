import CapnProtoSchema
import Testing

/// The rules of the schema language's "Evolving Your Protocol", one by one.
@Suite struct CompatibilityTests {
  struct Change: CustomTestStringConvertible, Sendable {
    let old: String
    let new: String
    /// The differences as text, without the words in parentheses; empty where there are none.
    let differences: [String]
    var testDescription: String { new }

    init(_ old: String, _ new: String, _ differences: String...) {
      self.old = old
      self.new = new
      self.differences = differences
    }
  }

  static let header = "@0xa9b8c7d6e5f40312;\n"

  static func differences(_ old: String, _ new: String) throws -> [SchemaDifference] {
    let (oldSchema, file) = try Oracle.schema(source: header + old)
    let (newSchema, _) = try Oracle.schema(source: header + new)
    return oldSchema.differences(to: newSchema, files: [file])
  }

  static let compatible = [
    Change("struct S { a @0 :Int8; }", "struct S { a @0 :Int8; }"),
    Change(
      "struct S { a @0 :Int8; }", "struct S { a @0 :Int8; b @1 :Text; }", "S.b: added (compatible)"),
    Change("", "struct S { a @0 :Int8; }", "S: added (compatible)"),
    Change("enum E { a @0; }", "enum E { a @0; b @1; }", "E.b: added (compatible)"),
    // The order in the source means nothing.
    Change("struct S { a @0 :Int8; b @1 :Text; }", "struct S { b @1 :Text; a @0 :Int8; }"),
    Change("enum E { a @0; b @1; }", "enum E { b @1; a @0; }"),
    Change(
      "interface I { m @0 (); }", "interface I { m @0 (); n @1 () -> (x :Int8); }",
      "I.n: added (compatible)"),
    Change(
      "interface I { m @0 (a :Int8); }", "interface I { m @0 (a :Int8, b :Text); }",
      "I.m$Params.b: added (compatible)"),
    Change(
      "interface I {} interface J { m @0 (); }",
      "interface I extends(J) {} interface J { m @0 (); }",
      "I extends new: superclass added (compatible)"),
    Change("const c :Int8 = 1;", "const c :Int8 = 2;", "c: the value changed (compatible)"),
    Change(
      "struct S { union { a @0 :Int8; b @1 :Text; } }",
      "struct S { union { a @0 :Int8; b @1 :Text; c @2 :Void; } }", "S.c: added (compatible)"),
    // The same default, written down.
    Change("struct S { a @0 :Int8; }", "struct S { a @0 :Int8 = 0; }"),
  ]

  static let breakingSource = [
    Change(
      "struct S { a @0 :Int8; }", "struct S { z @0 :Int8; }",
      "S.a: renamed to 'z' (breaks the source)"),
    Change(
      "enum E { a @0; }", "enum E { z @0; }", "E.a: renamed to 'z' (breaks the source)"),
    Change(
      "interface I { m @0 (); }", "interface I { z @0 (); }",
      "I.m: renamed to 'z' (breaks the source)"),
    Change(
      "struct S @0xb1b1c2c2d3d3e4e4 {}", "struct Z @0xb1b1c2c2d3d3e4e4 {}",
      "S: renamed to 'Z' (breaks the source)"),
    Change(
      "struct S @0xb1b1c2c2d3d3e4e4 {} struct T {}", "struct T { struct S @0xb1b1c2c2d3d3e4e4 {} }",
      "S: moved to 'T' (breaks the source)"),
    Change(
      "struct S { a @0 :Int8; }", "struct S { g :group { a @0 :Int8; b @1 :Int8; } }",
      "S.a: moved between groups (breaks the source)", "S.g.b: added (compatible)"),
    Change(
      "struct S { a @0 :Int8; }", "struct S { union { a @0 :Int8; b @1 :Text; } }",
      "S.a: became the first member of a new union (breaks the source)", "S.b: added (compatible)"),
    Change(
      "struct S { a @0 :List(Int8); }",
      "struct S { a @0 :List(T); struct T { x @0 :Int8; y @1 :Text; } }",
      "S.T: added (compatible)",
      "S.a: the list of List(Int8) became one of structs, List(S.T) (breaks the source)"),
    Change(
      "struct S { a @0 :List(Text); }", "struct S { a @0 :List(T); struct T { x @0 :Text; } }",
      "S.T: added (compatible)",
      "S.a: the list of List(Text) became one of structs, List(S.T) (breaks the source)"),
    Change(
      "struct S { a @0 :Text; }", "struct S { a @0 :AnyPointer; }",
      "S.a: the type Text was widened to AnyPointer (breaks the source)"),
    Change(
      "struct S { a @0 :Text; }", "struct S(T) { a @0 :T; }",
      "S: type parameter 'T' added (breaks the source)",
      "S.a: the type Text was widened to T (breaks the source)"),
    Change("const c :Int8 = 1;", "", "c: removed (breaks the source)"),
  ]

  static let breakingWire = [
    Change(
      "struct S { a @0 :Int8; b @1 :Text; }", "struct S { a @0 :Int8; }",
      "S.b: removed (breaks the wire)"),
    Change("struct S {}", "", "S: removed (breaks the wire)"),
    Change(
      "struct S { a @0 :Int8; b @1 :Int8; }", "struct S { a @1 :Int8; b @0 :Int8; }",
      "S.a: the number changed from 0 to 1 (breaks the wire)",
      "S.b: the number changed from 1 to 0 (breaks the wire)"),
    Change(
      "enum E { a @0; b @1; }", "enum E { a @1; b @0; }",
      "E.a: the number changed from 0 to 1 (breaks the wire)",
      "E.b: the number changed from 1 to 0 (breaks the wire)"),
    Change("enum E { a @0; b @1; }", "enum E { a @0; }", "E.b: removed (breaks the wire)"),
    Change(
      "struct S { a @0 :Int8; }", "struct S { a @0 :UInt8; }",
      "S.a: the type changed from Int8 to UInt8 (breaks the wire)"),
    Change(
      "struct S { a @0 :AnyPointer; }", "struct S { a @0 :Text; }",
      "S.a: the type changed from AnyPointer to Text (breaks the wire)"),
    Change(
      "struct S { a @0 :Int8 = 1; }", "struct S { a @0 :Int8 = 2; }",
      "S.a: the default changed (breaks the wire)"),
    Change(
      "struct S { a @0 :Text = \"x\"; }", "struct S { a @0 :Text = \"y\"; }",
      "S.a: the default changed (breaks the wire)"),
    Change(
      "struct S { a @0 :List(Bool); }", "struct S { a @0 :List(T); struct T { x @0 :Bool; } }",
      "S.T: added (compatible)",
      "S.a: the type changed from List(Bool) to List(S.T) (breaks the wire)"),
    Change(
      "struct S @0xb1b1c2c2d3d3e4e4 {}", "struct S @0xb1b1c2c2d3d3e4e5 {}",
      "S: the id changed from 0xb1b1c2c2d3d3e4e4 to 0xb1b1c2c2d3d3e4e5 (breaks the wire)"),
    Change(
      "struct S @0xb1b1c2c2d3d3e4e4 {}", "enum S @0xb1b1c2c2d3d3e4e4 { a @0; }",
      "S: it is another kind of declaration (breaks the wire)"),
    Change(
      "struct S { a @0 :Int8; b @1 :Int8; }", "struct S { union { a @0 :Int8; b @1 :Int8; } }",
      "S.a: became the first member of a new union (breaks the source)",
      "S.b: moved into, out of, or within a union (breaks the wire)",
      "S.b: the offset changed from 1 to 0 (breaks the wire)"),
    Change(
      "struct S { union { a @0 :Int8; b @1 :Int8; } }", "struct S { a @0 :Int8; b @1 :Int8; }",
      "S.a: moved into, out of, or within a union (breaks the wire)",
      "S.b: moved into, out of, or within a union (breaks the wire)",
      "S.b: the offset changed from 0 to 1 (breaks the wire)"),
    Change(
      "interface I { m @0 (a :Int8); }", "interface I { m @0 (a :Text); }",
      "I.m$Params.a: the type changed from Int8 to Text (breaks the wire)"),
    Change(
      "interface I extends(J) {} interface J {}", "interface I {} interface J {}",
      "I extends old: superclass removed (breaks the wire)"),
    Change(
      "struct S(T) { a @0 :T; }", "struct S { a @0 :AnyPointer; }",
      "S: type parameter 'T' removed (breaks the wire)",
      "S.a: the type T was widened to AnyPointer (breaks the source)"),
    Change(
      "struct B(T) { x @0 :T; } struct S { a @0 :B(Text); }",
      "struct B(T) { x @0 :T; } struct S { a @0 :B(S); }",
      "S.a: the type changed from B(Text) to B(S) (breaks the wire)"),
  ]

  // Each further line is a rule of the table in docs/schemas.md that has more than one side.

  static let furtherCompatible = [
    // A default of a struct that gained a field, also where the new default sets it.
    Change(
      "struct T { a @0 :Text; } struct S { t @0 :T = (a = \"x\"); }",
      "struct T { a @0 :Text; b @1 :UInt32; } struct S { t @0 :T = (a = \"x\"); }",
      "T.b: added (compatible)"),
    Change(
      "struct T { a @0 :Text; } struct S { t @0 :T = (a = \"x\"); }",
      "struct T { a @0 :Text; b @1 :UInt32; } struct S { t @0 :T = (a = \"x\", b = 1); }",
      "T.b: added (compatible)"),
    Change(
      "struct T { a @0 :Int8; } struct S { t @0 :List(T) = [(a = 1), ()]; }",
      "struct T { a @0 :Int8; b @1 :Text; } struct S { t @0 :List(T) = [(a = 1), (b = \"x\")]; }",
      "T.b: added (compatible)"),
    Change(
      "struct T { a @0 :Text; } const c :T = (a = \"x\");",
      "struct T { a @0 :Text; b @1 :UInt32; } const c :T = (a = \"x\");",
      "T.b: added (compatible)"),
    // Aliases have no node.
    Change("using A = Text; struct S { a @0 :A; }", "struct S { a @0 :Text; }"),
    Change(
      "annotation a(struct) :Text; struct S $a(\"x\") {}",
      "annotation a(struct) :Text; struct S {}"),
    Change(
      "struct S { g :group { a @0 :Int8; } u :union { b @1 :Int8; c @2 :Int8; } }",
      """
      struct S {
        g :group { a @0 :Int8; d @3 :Int8; }
        u :union { b @1 :Int8; c @2 :Int8; e @4 :Text; }
      }
      """,
      "S.g.d: added (compatible)", "S.u.e: added (compatible)"),
  ]

  static let furtherBreakingSource = [
    Change(
      "struct S { a @0 :AnyPointer; }", "struct S { a @0 :AnyList; }",
      "S.a: the type changed from AnyPointer to AnyList (breaks the source)"),
    Change(
      "struct S { a @0 :AnyPointer; }", "struct S { a @0 :AnyStruct; }",
      "S.a: the type changed from AnyPointer to AnyStruct (breaks the source)"),
    Change(
      "struct S { a @0 :AnyPointer; }", "struct S { a @0 :Capability; }",
      "S.a: the type changed from AnyPointer to Capability (breaks the source)"),
    Change(
      "struct S { a @0 :AnyList; }", "struct S { a @0 :AnyPointer; }",
      "S.a: the type AnyList was widened to AnyPointer (breaks the source)"),
    Change(
      "struct S { a @0 :List(UInt8); }", "struct S { a @0 :Data; }",
      "S.a: the type List(UInt8) was widened to Data (breaks the source)"),
    Change(
      "struct S { a @0 :List(Int8); }", "struct S { a @0 :Data; }",
      "S.a: the type List(Int8) was widened to Data (breaks the source)"),
    Change(
      "struct S { a @0 :Text; }", "struct S { a @0 :Data; }",
      "S.a: the type Text was widened to Data (breaks the source)"),
    Change(
      "struct S { a @0 :List(Text); }", "struct S { a @0 :List(Data); }",
      "S.a: the type List(Text) was widened to List(Data) (breaks the source)"),
    Change(
      "interface I { m @0 (); }",
      "interface I { m @0 () -> stream; }",
      "I.m: the type changed from I.m$Results to StreamResult (breaks the source)"),
    Change(
      "interface I { m @0 () -> stream; }", "interface I { m @0 () -> (a :Int8); }",
      "I.m: the type changed from StreamResult to I.m$Results (breaks the source)"),
    Change(
      "interface I { m @0 (a :Int8); }",
      "interface I { m @0 P; struct P { a @0 :Int8; b @1 :Text; } }",
      "I.P: added (compatible)",
      "I.m: the type changed from I.m$Params to I.P (breaks the source)"),
    // The first member of a new union may be the element of what was a list of it.
    Change(
      "struct S { a @0 :List(Int8); }",
      "struct S { a @0 :List(T); struct T { union { x @0 :Int8; y @1 :Text; } } }",
      "S.T: added (compatible)",
      "S.a: the list of List(Int8) became one of structs, List(S.T) (breaks the source)"),
    Change(
      "struct S { a @0 :List(List(Int8)); }",
      "struct S { a @0 :List(List(T)); struct T { x @0 :Int8; } }", "S.T: added (compatible)",
      "S.a: the list of List(List(Int8)) became one of structs, List(List(S.T)) "
        + "(breaks the source)"),
    Change(
      "struct S { a @0 :List(Text) = [\"x\"]; }",
      "struct S { a @0 :List(T) = [(x = \"x\", y = 1)]; struct T { x @0 :Text; y @1 :Int8; } }",
      "S.T: added (compatible)",
      "S.a: the list of List(Text) became one of structs, List(S.T) (breaks the source)"),
    // Generic now, and every user binds the parameters to what they replaced.
    Change(
      "struct M { e @0 :List(E); struct E { k @0 :Text; } } struct S { m @0 :M; n @1 :M.E; }",
      """
      struct M(K) { e @0 :List(E); struct E { k @0 :K; } }
      struct S { m @0 :M(Text); n @1 :M(Text).E; }
      """,
      "M: type parameter 'K' added (breaks the source)",
      "M.E.k: the type Text was widened to K (breaks the source)",
      "S.m: the type changed from M to M(Text) (breaks the source)",
      "S.n: the type changed from M.E to M(Text).E (breaks the source)"),
  ]

  static let furtherBreakingWire = [
    Change(
      "struct T { a @0 :Text; } struct S { t @0 :T = (a = \"x\"); }",
      "struct T { a @0 :Text; b @1 :UInt32; } struct S { t @0 :T = (a = \"y\"); }",
      "S.t: the default changed (breaks the wire)", "T.b: added (compatible)"),
    Change(
      "struct S { a @0 :List(Text) = [\"x\"]; }",
      "struct S { a @0 :List(T) = [(x = \"y\")]; struct T { x @0 :Text; } }",
      "S.T: added (compatible)", "S.a: the default changed (breaks the wire)",
      "S.a: the list of List(Text) became one of structs, List(S.T) (breaks the source)"),
    Change(
      "struct S { a @0 :AnyStruct; }", "struct S { a @0 :AnyList; }",
      "S.a: the type changed from AnyStruct to AnyList (breaks the wire)"),
    Change(
      "struct S { a @0 :Text; }", "struct S { a @0 :AnyStruct; }",
      "S.a: the type changed from Text to AnyStruct (breaks the wire)"),
    Change(
      "struct S { a @0 :Data; }", "struct S { a @0 :List(UInt8); }",
      "S.a: the type changed from Data to List(UInt8) (breaks the wire)"),
    Change(
      "struct S { a @0 :Data; }", "struct S { a @0 :Text; }",
      "S.a: the type changed from Data to Text (breaks the wire)"),
    Change(
      "interface I { m @0 () -> (a :Int8); }", "interface I { m @0 () -> stream; }",
      "I.m: the type changed from I.m$Results to StreamResult (breaks the wire)"),
    Change(
      "interface I { m @0 (a :Int8); }", "interface I { m @0 P; struct P { a @0 :Text; } }",
      "I.P: added (compatible)",
      "I.m: the type changed from I.m$Params to I.P (breaks the wire)"),
    // Old elements are 0, and would be 5.
    Change(
      "struct S { a @0 :List(Int8); }",
      "struct S { a @0 :List(T); struct T { x @0 :Int8 = 5; } }", "S.T: added (compatible)",
      "S.a: the type changed from List(Int8) to List(S.T) (breaks the wire)"),
    // A user binds the parameter to something else than it replaced.
    Change(
      "struct M { k @0 :Text; } struct S { m @0 :M; }",
      "struct M(K) { k @0 :K; } struct S { m @0 :M(S); }",
      "M: type parameter 'K' added (breaks the source)",
      "M.k: the type Text was widened to K (breaks the source)",
      "S.m: the type changed from M to M(S) (breaks the wire)"),
    // Two types of one name are told apart.
    Change(
      "struct A { d @0 :D; struct D { a @0 :Int8; } } struct B { struct D { a @0 :Int8; } }",
      "struct A { d @0 :B.D; struct D { a @0 :Int8; } } struct B { struct D { a @0 :Int8; } }",
      "A.d: the type changed from A.D to B.D (breaks the wire)"),
  ]

  @Test(arguments: [
    (furtherCompatible, SchemaDifference.Effect.none), (furtherBreakingSource, .source),
    (furtherBreakingWire, .wire),
  ])
  func `the rules are those of the C++ SchemaLoader`(
    changes: [Change], effect: SchemaDifference.Effect
  ) throws {
    for change in changes {
      let found = try Self.differences(change.old, change.new)
      #expect(found.map { "\($0)" } == change.differences)
      #expect(found.map(\.effect).max() ?? .none == effect, "\(change.new)")
    }
  }

  @Test func `bindings of superclasses and of named parameters are compared`() throws {
    func effects(_ old: String, _ new: String) throws -> [String] {
      let base = "interface B(T) { m @0 (a :T); } struct P(T) { a @0 :T; }\n"
      return try Self.differences(base + old, base + new).map { "\($0.kind), \($0.effect)" }
    }
    #expect(
      try effects("interface I extends(B(Text)) {}", "interface I extends(B(P)) {}")
        == ["the type changed from B(Text) to B(P), wire"])
    #expect(
      try effects("interface I { m @0 P(Text); }", "interface I { m @0 P(P); }")
        == ["the type changed from P(Text) to P(P), wire"])
  }

  @Test(arguments: compatible + breakingSource + breakingWire)
  func changesAreListed(change: Change) throws {
    let found = try Self.differences(change.old, change.new).map { difference in
      // The superclass is named with its file, whose name the test makes up.
      "\(difference)".replacing(
        /extends \S+:\S+:/,
        with: { _ in
          "extends \(difference.kind == .superclassAdded ? "new" : "old"):"
        })
    }
    #expect(found == change.differences)
  }

  @Test(arguments: [
    (compatible, SchemaDifference.Effect.none), (breakingSource, .source), (breakingWire, .wire),
  ])
  func theWorstDecides(changes: [Change], effect: SchemaDifference.Effect) throws {
    for change in changes {
      let worst = try Self.differences(change.old, change.new).map(\.effect).max() ?? .none
      #expect(worst == effect, "\(change.new)")
    }
  }

  /// Each struct is looked for among those of the other version.
  @Test(.timeLimit(.minutes(1))) func largeSchemasAreComparedInTime() throws {
    let count = 6000
    func source(_ prefix: String) -> String {
      (0..<count).map { "struct \(prefix)\($0) {}" }.joined(separator: "\n")
    }
    let differences = try Self.differences(source("Old"), source("New"))
    #expect(differences.count == 2 * count)
    #expect(differences.count { $0.kind == .removed } == count)
  }

  @Test func standardSchemasAreCompatibleWithThemselves() throws {
    let (schema, file) = try Oracle.schema("everything.capnp")
    #expect(schema.differences(to: schema, files: [file]) == [])
    #expect(schema.differences(to: schema) == [])
  }
}
