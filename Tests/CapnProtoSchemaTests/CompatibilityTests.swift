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
      "S.a: the list of List(Int8) became one of structs, List(T) (breaks the source)"),
    Change(
      "struct S { a @0 :List(Text); }", "struct S { a @0 :List(T); struct T { x @0 :Text; } }",
      "S.T: added (compatible)",
      "S.a: the list of List(Text) became one of structs, List(T) (breaks the source)"),
    Change(
      "struct S { a @0 :Text; }", "struct S { a @0 :AnyPointer; }",
      "S.a: the type Text was widened to AnyPointer (breaks the source)"),
    Change(
      "struct S { a @0 :Text; }", "struct S(T) { a @0 :T; }",
      "S: type parameter 'T' added (breaks the source)",
      "S.a: the type Text was widened to parameter 0 (breaks the source)"),
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
      "S.a: the type changed from List(Bool) to List(T) (breaks the wire)"),
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
      "S.a: the type parameter 0 was widened to AnyPointer (breaks the source)"),
    Change(
      "struct B(T) { x @0 :T; } struct S { a @0 :B(Text); }",
      "struct B(T) { x @0 :T; } struct S { a @0 :B(S); }",
      "S.a: the type changed from B to B (breaks the wire)"),
  ]

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
