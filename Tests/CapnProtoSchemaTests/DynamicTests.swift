import CapnProto
import CapnProtoSchema
import Testing

@Suite struct DynamicTests {
  @Test func fieldsAreSetAndRead() throws {
    let schema = try Oracle.everything()
    let message = MessageBuilder()
    let root = message.initRoot(as: schema)
    try root.value("int8").set(integer: -5)
    try root.value("text").set(text: "text")
    try root.value("color").set(enumerant: "green")
    try root.value("child").initStructure().value("uint64").set(integer: UInt64.max)
    let list = try root.value("children").initList(count: 2)
    try list.value(1).structure().value("float32").set(float: 0.5)
    try root.value("position").structure().value("x").set(integer: 9)
    let reader = root.reader
    guard case .int(-5) = try reader.get("int8") else { return expected("-5") }
    guard case .text(let text) = try reader.get("text"), text == "text" else {
      return expected("a text")
    }
    guard case .enumerant(let color) = try reader.get("color"),
      color.enumerant?.name == "green"
    else { return expected("green") }
    guard case .structure(let child) = try reader.get("child"),
      case .uint(.max) = try child.get("uint64")
    else { return expected("a child") }
    guard case .list(let children) = try reader.get("children"), children.count == 2,
      case .structure(let second) = try children.get(1),
      case .float32(0.5) = try second.get("float32")
    else { return expected("children") }
    guard case .structure(let position) = try reader.get("position"),
      case .int(9) = try position.get("x"), case .int(0) = try position.get("y")
    else { return expected("a group") }
  }

  private func expected(_ what: String, _ location: SourceLocation = #_sourceLocation) {
    Issue.record("expected \(what)", sourceLocation: location)
  }

  @Test func unionsKnowTheirMember() throws {
    let schema = try Oracle.everything()
    let message = MessageBuilder()
    let root = message.initRoot(as: schema)
    #expect(root.reader.which?.name == "nothing")
    try root.value("word").set(text: "w")
    #expect(root.reader.which?.name == "word")
    #expect(throws: DynamicError.inactive("number", in: "everything.capnp:Everything")) {
      _ = try root.reader.get("number")
    }
    try root.value("number").clear()
    guard case .int(3) = try root.reader.get("number") else { return expected("the default") }
    // A member that this schema does not know.
    root.raw.setDiscriminant(try #require(schema.node.discriminantOffset), 99)
    #expect(root.reader.which == nil)
    #expect(root.reader.discriminant == 99)
  }

  @Test func lookingAtAMemberLeavesTheOneThatIsSet() throws {
    let schema = try Oracle.everything()
    let message = MessageBuilder()
    let root = message.initRoot(as: schema)
    try root.value("word").set(text: "w")
    let bytes = message.flattened()
    for field in schema.node.unionMembers.map({ schema.node.fields[$0] }) where field.name != "word"
    {
      let place = try root.value(field)
      #expect(throws: DynamicError.self) { _ = try place.structure() }
      #expect(throws: DynamicError.self) { _ = try place.list() }
      #expect(throws: DynamicError.self) { _ = try place.anyPointer() }
      // A value of another type selects nothing.
      #expect(throws: DynamicError.self) { _ = try place.set(data: [1]) }
      #expect(message.flattened() == bytes)
    }
    #expect(root.reader.which?.name == "word")
    #expect(throws: DynamicError.inactive("pair", in: "everything.capnp:Everything")) {
      _ = try root.value("pair").structure()
    }
    let pair = try root.value("pair").initStructure()
    #expect(root.reader.which?.name == "pair")
    try pair.value("left").set(integer: 4)
    guard case .uint(4) = try root.value("pair").structure().reader.get("left") else {
      return expected("the group")
    }
  }

  @Test func defaultsAreReadWhereNothingIsSet() throws {
    let schema = try Oracle.everything("Defaults")
    let message = MessageBuilder()
    let root = message.initRoot(as: schema)
    guard case .text(let text) = try root.reader.get("text"), text == "default",
      case .structure(let choice) = try root.reader.get("choice"),
      case .int(5) = try choice.get("b"), case .list(let numbers) = try root.reader.get("numbers"),
      numbers.count == 3, case .int(-2) = try numbers.get(1),
      case .uint(.max) = try root.reader.get("uint64"),
      case .bool(true) = try root.reader.get("bool")
    else { return expected("the defaults") }
    // To build on a default is to copy it.
    try root.value("choice").structure().value("after").set(text: "x")
    guard case .structure(let changed) = try root.reader.get("choice"),
      case .int(5) = try changed.get("b"), case .text(let after) = try changed.get("after"),
      after == "x"
    else { return expected("a copy of the default") }
    try root.value("numbers").list().value(0).set(integer: 100)
    guard case .list(let own) = try root.reader.get("numbers"), own.count == 3,
      case .int(100) = try own.get(0)
    else { return expected("a copy of the default") }
  }

  @Test func valuesAreCopiedWithWhatTheSchemaDoesNotKnow() throws {
    let source = try TextTests.message(
      "Everything",
      """
      (children = [(text = "one", pair = (left = 1, right = "r"), color = (99)), (int8 = 4)],
       child = (shape = (box = (width = 3))), position = (name = "n"), boxed = (value = "b"))
      """)
    let schema = try Oracle.everything()
    let reader = try MessageReader(flat: source)
    let message = MessageBuilder()
    let from = try reader.root(as: schema)
    let root = message.initRoot(as: schema)
    for field in schema.node.fields where field.discriminant == nil && from.has(field) {
      try root.value(field).set(try from.get(field))
    }
    // Element by element, in place.
    guard case .list(let children) = try from.get("children") else { return expected("a list") }
    let copies = try root.value("children").initList(count: children.count)
    for index in children.indices { try copies.value(index).set(try children.get(index)) }
    let printed = try TextCodec().encode(root.reader).text
    #expect(printed == (try TextTests.print("Everything", source, isPretty: true)))
  }

  @Test func valuesOfOtherTypesAreRefused() throws {
    let schema = try Oracle.everything()
    let message = MessageBuilder()
    let root = message.initRoot(as: schema)
    #expect(throws: DynamicError.outOfRange("128", type: "Int8")) {
      try root.value("int8").set(integer: 128)
    }
    #expect(throws: DynamicError.outOfRange("1e+39", type: "Float32")) {
      try root.value("float32").set(float: 1e39)
    }
    try root.value("float32").set(float: -.infinity)
    #expect(
      throws: DynamicError.typeMismatch(
        expected: "everything.capnp:Everything", found: "an integer")
    ) { try root.value("child").set(integer: 1) }
    #expect(throws: DynamicError.self) { try root.value("int8").set(text: "x") }
    #expect(throws: DynamicError.self) { try root.value("text").set(data: [1]) }
    #expect(throws: DynamicError.self) { try root.value("text").set(bool: true) }
    #expect(throws: DynamicError.self) { _ = try root.value("text").initStructure() }
    #expect(throws: DynamicError.self) { _ = try root.value("child").initList(count: 1) }
    #expect(throws: DynamicError.tooLarge(elements: 1 << 29)) {
      _ = try root.value("voids").initList(count: 1 << 29)
    }
    #expect(throws: DynamicError.tooLarge(elements: 1 << 28)) {
      _ = try root.value("children").initList(count: 1 << 28)
    }
    #expect(throws: DynamicError.self) { _ = try root.value("nope") }
    let foreign = try #require(try Oracle.everything("Choice").field("a"))
    #expect(throws: DynamicError.self) { _ = try root.value(foreign) }
    #expect(throws: DynamicError.self) { _ = try root.reader.get(foreign) }
    let hasForeign = root.reader.has(foreign)
    #expect(!hasForeign)
  }
}
