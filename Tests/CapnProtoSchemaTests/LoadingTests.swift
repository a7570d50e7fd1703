import CapnProto
import CapnProtoSchema
import Testing

@Suite struct LoadingTests {
  @Test(arguments: [
    "schema.capnp", "rpc.capnp", "rpc-twoparty.capnp", "persistent.capnp", "c++.capnp",
    "stream.capnp", "compat/json.capnp",
  ])
  func standardSchemasAreLoaded(name: String) throws {
    let bytes = try Oracle.request("/usr/include/capnp/" + name, importing: "/usr/include")
    let message = try MessageReader(flat: bytes)
    var loader = SchemaLoader()
    try loader.add(try message.root(as: CodeGeneratorRequest.Reader.self))
    // The same nodes may come again.
    try loader.add(try message.root(as: CodeGeneratorRequest.Reader.self))
    #expect(try loader.schema().nodes.count > 0)
  }

  @Test func enumerantsAreKnownByName() throws {
    let source = "@0xa9b8c7d6e5f40313; enum E { b @1; a @0; }"
    let (schema, file) = try Oracle.schema(source: source)
    let enumeration = try #require(schema.node(named: "E", in: file)?.enumeration)
    #expect(enumeration.number(of: "a") == 0)
    #expect(enumeration.number(of: "b") == 1)
    #expect(enumeration.number(of: "c") == nil)
  }

  @Test func nodesSayWhatTheSourceSays() throws {
    let (schema, file) = try Oracle.everythingSchema.get()
    let everything = try Oracle.everything()
    #expect(everything.displayName == "everything.capnp:Everything")
    #expect(everything.node.fields.count == 47)
    #expect(everything.node.unionMembers.count == 5)
    #expect(everything.field("int8")?.ordinal == 2)
    #expect(everything.type(of: try #require(everything.field("matrix"))) == .list(.list(.int16)))
    let service = try #require(schema.node(named: "Service", in: file)?.interface)
    #expect(service.methods.map(\.name) == ["call", "store"])
    #expect(service.methods[1].implicitParameters == ["T"])
    #expect(service.superclasses.count == 1)
    #expect(schema.node(named: "Box", in: file)?.parameters == ["T"])
    #expect(schema.node(named: "Outer.Inner", in: file)?.isGeneric == true)
    #expect(schema.node(named: "Outer.Nope", in: file) == nil)
    #expect(schema.structure(named: "Color", in: file) == nil)
  }

  @Test func generatedTypesBringTheirSchema() throws {
    let schema = try Schema.of(Node.self)
    let node = try #require(schema.structure(Node.self))
    #expect(node.displayName.hasSuffix("schema.capnp:Node"))
    #expect(schema.structure(ElementSize.self) == nil)
    let message = MessageBuilder()
    let target: Node.Builder = message.initRoot()
    target.displayName = "a.capnp:A"
    target.scopeId = 7
    target.initEnum().initEnumerants(1)[0].name = "one"
    let reader = try MessageReader(flat: message.flattened())
    let root = try reader.root(as: node)
    let text = try TextCodec(isPretty: false).encode(root)
    #expect(String(decoding: text, as: UTF8.self).contains(#"displayName = "a.capnp:A""#))
    #expect(String(decoding: text, as: UTF8.self).contains(#"enum = (enumerants = [(name = "one""#))
  }

  @Test func typeParametersAreBoundThroughScopes() throws {
    let uses = try Oracle.everything("UsesOuter")
    guard
      case .structure(let id, let brand) = uses.type(of: try #require(uses.field("field"))),
      let outer = uses.schema.structure(id, brand: brand),
      case .structure(let innerID, let innerBrand) = outer.type(
        of: try #require(outer.field("inner"))),
      let inner = uses.schema.structure(innerID, brand: innerBrand),
      case .structure(let boxID, let boxBrand) = inner.type(of: try #require(inner.field("deeper"))),
      let box = uses.schema.structure(boxID, brand: boxBrand)
    else {
      Issue.record("the structs are not there")
      return
    }
    #expect(inner.type(of: try #require(inner.field("one"))) == .data)
    #expect(inner.type(of: try #require(inner.field("two"))) == .text)
    #expect(box.type(of: try #require(box.field("value"))) == .data)
  }

  @Test func typeParametersThatGrowWithoutBoundEndUnbound() throws {
    let (schema, file) = try Oracle.schema(
      source: """
        @0xa1b2c3d4e5f60718;
        struct Pair(A, B) { next @0 :Pair(Pair(A, B), Pair(A, B)); value @1 :A; }
        """)
    var pair = try #require(schema.structure(named: "Pair", in: file))
    let next = try #require(pair.field("next"))
    for _ in 0..<1000 {
      guard case .structure(let id, let brand) = pair.type(of: next),
        let inner = schema.structure(id, brand: brand)
      else { return }
      pair = inner
    }
  }
}
