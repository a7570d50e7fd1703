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
