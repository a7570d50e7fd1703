import CapnProtoCodeGen
import Testing

/// What cannot be generated is refused by declaration, file and line, and nothing is generated.
@Suite struct RefusalTests {
  private func refusals(_ schema: String, named name: String = "bad.capnp") throws -> [String] {
    let generator = try Compiler().generator([name: "@0xd4c9b1f5a2e87330;\n" + schema])
    let refusals = generator.refusals
    if let first = refusals.first {
      #expect(throws: first) { try generator.files() }
    }
    return refusals.map { "\($0)" }
  }

  @Test func oneInterfaceInheritedInTwoWays() throws {
    #expect(
      try refusals(
        """
        interface Store(T) { get @0 () -> (value :T); }
        interface Texts extends(Store(Text)) {}
        interface Datas extends(Store(Data)) {}
        interface Twice extends(Texts, Datas) {}
        interface Direct extends(Store(Text), Store(Text)) {}
        """) == [
          "bad.capnp:5:1: error: 'Twice': it extends 'Store' twice, "
            + "with different type parameters"
        ])
  }

  @Test func namesThatAreNoneInSwift() throws {
    #expect(
      try refusals(
        """
        using Swift = import "/capnp/swift.capnp";
        struct A $Swift.name("a b") {
          x @0 :UInt8 $Swift.name("_x");
          y @1 :UInt8 $Swift.name("z");
          z @2 :UInt8;
        }
        enum E { one @0; two @1 $Swift.name("one"); }
        interface I { call @0 () $Swift.name(""); other @1 () $Swift.name("x_y"); }
        """) == [
          "bad.capnp:3:1: error: 'A': 'a b' is no name in Swift, or has an underscore",
          "bad.capnp:4:1: error: 'A.x': '_x' is no name in Swift, or has an underscore",
          "bad.capnp:6:1: error: 'A.z': it has the name 'z' in Swift, as 'y' has",
          "bad.capnp:8:1: error: 'E.two': it has the name 'one' in Swift, as 'one' has",
          "bad.capnp:9:1: error: 'I.call': '' is no name in Swift, or has an underscore",
          "bad.capnp:9:1: error: 'I.other': 'x_y' is no name in Swift, or has an underscore",
        ])
  }

  @Test func structsThatCannotBePlainValues() throws {
    #expect(
      try refusals(
        """
        using Swift = import "/capnp/swift.capnp";
        interface I {}
        struct A $Swift.value {
          cap @0 :I;
          any @1 :AnyPointer;
          other @2 :List(B);
          fine @3 :A;
        }
        struct B {}
        struct G(T) $Swift.value {}
        """) == [
          "bad.capnp:5:1: error: 'A.cap': 'A' cannot have a plain value: "
            + "a capability is no plain value",
          "bad.capnp:6:1: error: 'A.any': 'A' cannot have a plain value: "
            + "what it leads to is not known to the schema",
          "bad.capnp:7:1: error: 'A.other': 'A' cannot have a plain value: B has none",
          "bad.capnp:8:1: error: 'A.fine': 'A' cannot have a plain value: A has none",
          "bad.capnp:11:1: error: 'G': a generic struct cannot have a plain value",
        ])
  }

  @Test func filesThatNoDependencyHas() throws {
    let schemas: KeyValuePairs = [
      "one.capnp": """
      @0xd4c9b1f5a2e87340;
      using Two = import "two.capnp";
      struct One { other @0 :Two.Two; }
      """,
      "two.capnp": "@0xd4c9b1f5a2e87341; struct Two {}",
    ]
    var options = CodeGeneratorOptions()
    options.modules = [0xd4c9_b1f5_a2e8_7340: nil]
    let generator = try Compiler().generator(schemas, options: options)
    #expect(
      generator.refusals.map { "\($0)" } == [
        "one.capnp:3:1: error: 'One.other': no target that this one depends on has two.capnp, "
          + "which declares 'Two'; a schema that is found elsewhere has to be annotated with its "
          + "$Swift.module"
      ])
    options.modules?[0xd4c9_b1f5_a2e8_7341] = .some("Other")
    let placed = try Compiler().generator(schemas, options: options).files()
    #expect(placed[0].text.contains("public import Other\n"))
    #expect(placed[0].text.contains("var other: Other::Two.Reader"))
  }

  @Test func filesThatSayTheirOwnModule() throws {
    let schemas: KeyValuePairs = [
      "one.capnp": """
      @0xd4c9b1f5a2e87340;
      using Two = import "two.capnp";
      struct One { other @0 :Two.Two; }
      """,
      "two.capnp": """
      @0xd4c9b1f5a2e87341;
      using Swift = import "/capnp/swift.capnp";
      $Swift.module("Elsewhere");
      struct Two {}
      """,
    ]
    var options = CodeGeneratorOptions()
    options.modules = [0xd4c9_b1f5_a2e8_7340: nil]
    let text = try Compiler().generator(schemas, options: options).files()[0].text
    #expect(text.contains("public import Elsewhere\n"))
    #expect(text.contains("var other: Elsewhere::Two.Reader"))
  }

  @Test func typesOfStandardFilesWithoutBindings() throws {
    #expect(
      try refusals(
        """
        using TwoParty = import "/capnp/rpc-twoparty.capnp";
        struct Holder { value @0 :TwoParty.VatId; }
        """) == [
          "bad.capnp:3:1: error: 'Holder.value': there are no Swift bindings of "
            + "/capnp/rpc-twoparty.capnp, which declares 'VatId': a copy of it as "
            + "capnp/rpc-twoparty.capnp in the folder of the target is generated along with its "
            + "other schemas"
        ])
  }

  @Test func namesThatAFileDeclaresThatIsNotGeneratedAlongWithThisOne() throws {
    let generator = try Compiler().generator([
      "one.capnp": """
      @0xd4c9b1f5a2e87340;
      using Two = import "two.capnp";
      struct Point { other @0 :Two.Point; }
      """,
      "two.capnp": "@0xd4c9b1f5a2e87341; struct Point {}",
    ])
    #expect(
      generator.refusals.map { "\($0)" } == [
        "one.capnp:3:1: error: 'Point': two.capnp declares the same name, which it imports; "
          + "generate all files of a module in one command, which tells such names apart"
      ])
  }

  @Test func idsThatADependencyHasAsWell() throws {
    var options = CodeGeneratorOptions()
    options.modules = [0xd4c9_b1f5_a2e8_7340: "Contacts"]
    let generator = try Compiler().generator(
      ["one.capnp": "@0xd4c9b1f5a2e87340;"], options: options)
    #expect(
      generator.refusals.map { "\($0)" } == [
        "one.capnp: error: 'one.capnp': its id @0xd4c9b1f5a2e87340 is that of a schema of the "
          + "module Contacts, too: it needs an id of its own, which 'capnp id' makes"
      ])
  }

  @Test func nothingIsRefusedWithoutCause() throws {
    #expect(
      try refusals(
        """
        using Cxx = import "/capnp/c++.capnp";
        using Schema = import "/capnp/schema.capnp";
        $Cxx.namespace("x");
        annotation note(struct) :Text;
        struct A $note("n") { any @0 :AnyPointer; node @1 :Schema.Node; }
        interface B { call @0 A -> A; stream @1 () -> stream; }
        struct G(T) { value @0 :T; }
        interface H(T) extends(B) { call @0 [U] (value :U) -> (box :G(G(T)), caps :List(Capability)); }
        """) == [])
  }
}
