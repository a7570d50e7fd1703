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

  private let generic = "generic types are not supported yet"

  @Test func genericStructsAndTheirUses() throws {
    #expect(
      try refusals(
        """
        struct Box(T) { value @0 :T; }
        struct User {
          # struct Box
          plain @0 :UInt8;
          box @1 :Box(Text);
          many @2 :List(Box(Data));
          group :group {
            inner @3
              :Box(Text);
          }
        }
        """) == [
          "bad.capnp:2:1: error: 'Box': \(generic)",
          "bad.capnp:6:1: error: 'User.box': \(generic)",
          "bad.capnp:7:1: error: 'User.many': \(generic)",
          "bad.capnp:9:1: error: 'User.group.inner': \(generic)",
        ])
  }

  @Test func genericInterfacesAndMethods() throws {
    #expect(
      try refusals(
        """
        interface Store(T) { get @0 () -> (value :T); }
        interface User extends(Store(Text)) {
          make @0 [T] (value :T) -> (value :T);
          fetch @1 () -> (store :Store(Data));
        }
        """) == [
          "bad.capnp:2:1: error: 'Store': \(generic)",
          "bad.capnp:3:1: error: 'User': \(generic)",
          "bad.capnp:4:1: error: 'User.make': generic methods are not supported yet",
          "bad.capnp:5:1: error: 'User.fetch': parameter 'store': \(generic)",
        ])
  }

  @Test func streaming() throws {
    #expect(
      try refusals(
        """
        interface Sink {
          write @0 (bytes :Data) -> stream;
        }
        """) == ["bad.capnp:3:1: error: 'Sink.write': '-> stream' is not supported yet"])
  }

  @Test func typesOfStandardFilesWithoutBindings() throws {
    #expect(
      try refusals(
        """
        using Stream = import "/capnp/stream.capnp";
        struct Holder { value @0 :Stream.StreamResult; }
        """) == [
          "bad.capnp:3:1: error: 'Holder.value': there are no Swift bindings of "
            + "/capnp/stream.capnp, which declares 'StreamResult'"
        ])
  }

  @Test func namesThatTwoFilesDeclare() throws {
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
        "one.capnp:3:1: error: 'Point': two.capnp declares the same name, which it imports"
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
        interface B { call @0 A -> A; }
        """) == [])
  }
}
