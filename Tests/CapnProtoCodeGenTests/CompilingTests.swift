import CapnProtoCodeGen
import Testing

/// What Swift's compiler says of the output, and of code that uses it.
@Suite(.timeLimit(.minutes(3))) struct CompilingTests {
  private static let swift = "using Swift = import \"/capnp/swift.capnp\";"

  /// The output for a schema.
  private func output(
    _ compiler: borrowing Compiler, _ schema: String,
    options: CodeGeneratorOptions = CodeGeneratorOptions()
  ) throws -> String {
    try #require(try compiler.generator(["a.capnp": schema], options: options).files().first).text
  }

  @Test func namesOfSwiftsTypesDoNotHideThem() throws {
    let names = [
      "Error", "Array", "Optional", "String", "Int", "Bool", "Double", "Never", "Hashable",
      "Equatable", "Sendable", "Sequence", "Dictionary", "Set", "Result", "Codable",
    ]
    let structs = names.map {
      """
      struct \($0) {
        own @0 :\($0); list @1 :List(\($0)); text @2 :Text = "x"; data @3 :Data; number @4 :Int32;
        flag @5 :Bool; any @6 :AnyPointer; numbers @7 :List(UInt8) = [1];
        union { one @8 :Float64; two @9 :List(Text); }
      }
      """
    }
    let schema = "@0xd4c9b1f5a2e87370; \(Self.swift) $Swift.value; \(structs.joined())"
    let compiler = try Compiler()
    #expect(try compiler.diagnostics(of: try output(compiler, schema)) == "")
  }

  @Test func whatIsDeprecatedIsSoForUsersOnly() throws {
    let schema = """
      @0xd4c9b1f5a2e87371; \(Self.swift)
      struct Old $Swift.deprecated("Use New.") { next @0 :Old; color @1 :Color = red; }
      struct New {
        old @0 :Old; olds @1 :List(Old); color @2 :Color; gone @3 :Gone;
        struct Inner $Swift.deprecated("Use none.") { x @0 :UInt8; }
        inner @4 :Inner;
      }
      enum Color { blue @0; red @1 $Swift.deprecated("Use blue."); }
      enum Gone $Swift.deprecated("There is none.") { one @0; }
      const old :Old = (color = red);
      const red :Color = red;
      """
    let compiler = try Compiler()
    let text = try output(compiler, schema)
    #expect(try compiler.diagnostics(of: text) == "")
    for (use, warning) in [
      ("_: Old.Reader", "'Old' is deprecated: Use New."),
      ("_: New.Inner.Builder", "'Inner' is deprecated: Use none."),
      ("_: Gone", "'Gone' is deprecated: There is none."),
      ("_: Color = .red", "'red' is deprecated: Use blue."),
    ] {
      #expect(try compiler.diagnostics(of: text + "func use(\(use)) {}").contains(warning))
    }
    #expect(try compiler.diagnostics(of: text + "func use(_: Color = .blue) {}") == "")
  }

  @Test func filesThatImportEachOtherCompile() throws {
    let schemas: KeyValuePairs = [
      "a.capnp": """
      @0xa1a1a1a1a1a1a1a1;
      using B = import "b.capnp";
      struct Left { other @0 :B.Right; }
      interface Base extends(B.Root) {}
      """,
      "b.capnp": """
      @0xb1b1b1b1b1b1b1b1;
      using A = import "a.capnp";
      struct Right { other @0 :A.Left; }
      interface Root {}
      interface Derived extends(A.Base) {}
      """,
    ]
    let compiler = try Compiler()
    let files = try compiler.generator(schemas, requested: 2).files()
    #expect(try compiler.diagnostics(of: files[0].text, files[1].text) == "")
  }

  @Test func namesThatSeveralFilesOfAModuleHaveAreToldApartByTheFile() throws {
    let schemas: KeyValuePairs = [
      "sub-b.capnp": """
      @0xb3b1b1b1b1b1b1b1;
      using Swift = import "/capnp/swift.capnp";
      struct Event { y @0 :Text; own @1 :Event; } const limit :UInt8 = 2; annotation note(*) :Void;
      enum Kind $Swift.deprecated("Use none.") { one @0; }
      """,
      "a.capnp": """
      @0xa3a1a1a1a1a1a1a1;
      struct Event { x @0 :UInt32; } const limit :UInt8 = 1; annotation note(*) :Void;
      struct UseA { e @0 :Event; k @1 :Kind; } enum Kind { two @0; }
      """,
      "c/a.capnp": """
      @0xa3a1a1a1a1a1a1a2;
      struct Event { x @0 :import "/a.capnp".Event; y @1 :import "/sub-b.capnp".Event; }
      """,
    ]
    let compiler = try Compiler()
    let files = try compiler.generator(schemas, requested: 3).files()
    #expect(files[0].text.contains("public enum Event_sub_b: StructType"))
    #expect(files[0].text.contains("public let limit_sub_b: UInt8 = 2"))
    #expect(files[1].text.contains("public enum Event: StructType"))
    #expect(files[2].text.contains("public enum Event_c_a: StructType"))
    #expect(
      try compiler.diagnostics(of: files[0].text, files[1].text, files[2].text) == "")
  }

  /// Each file has its own name for a type that a scope of it hides.
  @Test func typesThatScopesOfSeveralFilesHideCompile() throws {
    let hiding = "struct Person { person @0 :import \"/a.capnp\".Person; struct Person {} }"
    let schemas: KeyValuePairs = [
      "a.capnp": "@0xa3a1a1a1a1a1a1a3; struct Person { struct Person {} own @0 : .Person; }",
      "b.capnp": "@0xa3a1a1a1a1a1a1a4; struct B { \(hiding) }",
      "c.capnp": "@0xa3a1a1a1a1a1a1a5; struct C { \(hiding) }",
    ]
    let compiler = try Compiler()
    let files = try compiler.generator(schemas, requested: 3).files()
    #expect(try compiler.diagnostics(of: files[0].text, files[1].text, files[2].text) == "")
  }

  @Test func filesInAFolderNamedAsTheStandardOneCompile() throws {
    let schemas: KeyValuePairs = [
      "capnp/a.capnp": "@0xa8a1a1a1a1a1a1a1; struct A { b @0 :import \"b.capnp\".B; }",
      "capnp/b.capnp": "@0xb8b1b1b1b1b1b1b1; struct B { x @0 :UInt8; }",
    ]
    let compiler = try Compiler()
    let files = try compiler.generator(schemas, requested: 2).files()
    #expect(files[0].text.contains("imports: [_schema_b8b1b1b1b1b1b1b1]"))
    #expect(try compiler.diagnostics(of: files[0].text, files[1].text) == "")
  }

  @Test func withoutTheLifetimesFeatureThereIsOneErrorThatNamesIt() throws {
    let compiler = try Compiler()
    let text = try output(
      compiler, "@0xd4c9b1f5a2e87374; struct A { x @0 :Text; } interface I { m @0 (); }")
    let errors = try compiler.diagnostics(of: text, lifetimes: false)
      .split(separator: "\n").filter { $0.contains("error:") && $0.hasPrefix("/") }
    #expect(errors.count == 1)
    #expect(errors.first?.contains(".enableExperimentalFeature(\"Lifetimes\")") == true)
  }

  @Test func plainValuesOfListsWithDefaultsCompileWithoutWarnings() throws {
    let lists = [
      ("Void", "[void]"), ("Bool", "[true]"), ("Int8", "[1]"), ("UInt64", "[1]"),
      ("Float32", "[1]"), ("Float64", "[1]"), ("Color", "[red]"), ("Text", "[\"x\"]"),
      ("Data", "[\"x\"]"), ("A", "[()]"), ("List(Bool)", "[[true]]"), ("List(Text)", "[[\"x\"]]"),
    ]
    let fields = lists.enumerated().map { "f\($0) @\($0) :List(\($1.0)) = \($1.1);" }
    let schema = """
      @0xd4c9b1f5a2e87375; \(Self.swift) $Swift.value;
      enum Color { red @0; } struct A { x @0 :Text = "x"; d @1 :Data = "y"; }
      struct B { \(fields.joined(separator: " ")) }
      """
    let compiler = try Compiler()
    #expect(try compiler.diagnostics(of: try output(compiler, schema)) == "")
  }

  @Test func serversHaveAllMethodsUnlessTheyArePartial() throws {
    let schema = """
      @0xd4c9b1f5a2e87376;
      interface Base { ping @0 (); }
      interface Chat extends(Base) { send @0 (); leave @1 (); }
      interface Store(T) { get @0 () -> (value :T); put @1 (value :T); }
      """
    let compiler = try Compiler()
    let text = try output(compiler, schema)
    let complete = """
      final class All: Chat.Server {
        func ping(_ call: PingCall) async throws {}
        func send(_ call: SendCall) async throws {}
        func leave(_ call: LeaveCall) async throws {}
      }
      final class Some: Chat.PartialServer { func leave(_ call: LeaveCall) async throws {} }
      final class Texts: Store.PartialServer {
        func get(_ call: Store.GetCall<TextType>) async throws {}
      }
      let clients = (Chat.Client.server(All()), Chat.Client.server(Some()))
      """
    #expect(try compiler.diagnostics(of: text + complete) == "")
    let misspelt = """
      final class Misspelt: Chat.Server {
        func ping(_ call: PingCall) async throws {}
        func sendd(_ call: SendCall) async throws {}
        func leave(_ call: LeaveCall) async throws {}
      }
      """
    let errors = try compiler.diagnostics(of: text + misspelt)
    #expect(errors.contains("type 'Misspelt' does not conform to protocol 'Chat.Server'"))
    #expect(errors.contains("send"))
  }

  @Test func internalCodeIsForItsModuleOnly() throws {
    let schema = """
      @0xd4c9b1f5a2e87372; \(Self.swift) $Swift.value;
      struct A { x @0 :UInt8; text @1 :Text; own @2 :A; color @3 :Color; g :group { y @4 :Bool; }
        union { list @5 :List(Text) = ["x"]; none @6 :Void; } }
      enum Color { red @0; }
      struct Box(T) { value @0 :T; }
      const number :UInt8 = 3;
      """
    var options = CodeGeneratorOptions()
    options.isInternal = true
    let compiler = try Compiler()
    let text = try output(compiler, schema, options: options)
    #expect(!text.contains("public"))
    #expect(try compiler.diagnostics(of: text) == "")
  }
}
