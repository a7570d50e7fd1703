import CapnProto
import CapnProtoSchema
import Testing

/// Nodes as no schema compiler makes them.
@Suite struct HostileNodeTests {
  /// What the loader says of nodes that the body builds.
  private func problem(
    _ count: Int, _ body: (ListBuilder<Node.Builder>) throws -> Void
  ) throws -> SchemaError? {
    let message = MessageBuilder()
    let request = message.initRoot(as: CodeGeneratorRequest.Builder.self)
    let nodes = request.initNodes(count)
    for index in nodes.indices {
      nodes[index].id = UInt64(index + 1)
      nodes[index].displayName = "node\(index + 1)"
    }
    try body(nodes)
    let reader = try MessageReader(flat: message.flattened())
    var loader = SchemaLoader()
    do {
      try loader.add(try reader.root(as: CodeGeneratorRequest.Reader.self))
      _ = try loader.schema()
      return nil
    } catch let error as SchemaError {
      return error
    }
  }

  /// A struct of one data word and one pointer with fields of the names, each a UInt8 of its own.
  @discardableResult
  @_lifetime(copy node)
  private func structure(
    _ node: Node.Builder, _ names: [String]
  ) -> ListBuilder<Field.Builder> {
    let structure = node.initStruct()
    structure.dataWordCount = 1
    structure.pointerCount = 1
    let fields = structure.initFields(names.count)
    for (index, name) in names.enumerated() {
      fields[index].name = name
      fields[index].codeOrder = UInt16(index)
      fields[index].initOrdinal().explicit = UInt16(index)
      let slot = fields[index].initSlot()
      slot.offset = UInt32(index)
      slot.initType().setUint8()
      slot.initDefaultValue().uint8 = 0
    }
    return fields
  }

  private func expect(
    _ expected: SchemaError.Problem, member: String? = nil, nodes: Int = 1,
    _ location: SourceLocation = #_sourceLocation,
    _ body: (ListBuilder<Node.Builder>) throws -> Void
  ) throws {
    let error = try problem(nodes, body)
    #expect(error?.problem == expected, sourceLocation: location)
    #expect(error?.member == member, sourceLocation: location)
  }

  @Test func honestNodesAreLoaded() throws {
    #expect(try problem(1) { structure($0[0], ["a", "b"]) } == nil)
  }

  @Test func namesAreChecked() throws {
    try expect(.unnamed) { $0[0].id = 0 }
    try expect(.prefixTooLong) { $0[0].displayNamePrefixLength = 6 }
    try expect(.duplicateName("a")) { structure($0[0], ["a", "a"]) }
    try expect(.unnamed) { structure($0[0], ["a", ""]) }
    try expect(.conflictingNode, nodes: 2) {
      $0[1].id = 1
      structure($0[1], [])
    }
    try expect(.unknownKind(77)) { $0[0]._raw.setDiscriminant(6, 77) }
  }

  @Test func fieldsLieInTheirStruct() throws {
    try expect(.fieldOutsideStruct(offset: 8), member: "a") {
      try structure($0[0], ["a"])[0].slot.offset = 8
    }
    try expect(.fieldOutsideStruct(offset: .max), member: "a") {
      let slot = try structure($0[0], ["a"])[0].slot
      slot.offset = .max
      slot.initType().setUint64()
      slot.initDefaultValue().uint64 = 0
    }
    try expect(.fieldOutsideStruct(offset: 1), member: "a") {
      let slot = try structure($0[0], ["a"])[0].slot
      slot.offset = 1
      slot.initType().setText()
      slot.initDefaultValue().text = "x"
    }
    try expect(.fieldOutsideStruct(offset: 64), member: "a") {
      let slot = try structure($0[0], ["a"])[0].slot
      slot.offset = 64
      slot.initType().setBool()
      slot.initDefaultValue().bool = false
    }
    try expect(.duplicateOrdinal(0), member: "b") {
      structure($0[0], ["a", "b"])[1].initOrdinal().explicit = 0
    }
  }

  @Test func membersHaveOnePlaceInTheSource() throws {
    try expect(.invalidCodeOrder(0)) { structure($0[0], ["a", "b"])[1].codeOrder = 0 }
    try expect(.invalidCodeOrder(2)) { structure($0[0], ["a", "b"])[1].codeOrder = 2 }
    try expect(.invalidCodeOrder(.max)) {
      let enumerants = $0[0].initEnum().initEnumerants(1)
      enumerants[0].name = "a"
      enumerants[0].codeOrder = .max
    }
    try expect(.invalidCodeOrder(0)) {
      let methods = $0[0].initInterface().initMethods(2)
      methods[0].name = "a"
      methods[1].name = "b"
    }
  }

  @Test func fieldsShareNoPlace() throws {
    try expect(.overlappingField, member: "b") {
      try structure($0[0], ["a", "b"])[1].slot.offset = 0
    }
    // A Bool in the byte of another field.
    try expect(.overlappingField, member: "b") {
      let slot = try structure($0[0], ["a", "b"])[1].slot
      slot.offset = 7
      slot.initType().setBool()
      slot.initDefaultValue().bool = false
    }
    try expect(.overlappingField, member: "b") {
      let fields = structure($0[0], ["a", "b"])
      for index in fields.indices {
        try fields[index].slot.offset = 0
        try fields[index].slot.initType().setText()
        try fields[index].slot.initDefaultValue().text = ""
      }
    }
    // The discriminant lies where the first two fields do.
    try expect(.overlappingField, member: "f0") { try union($0[0], count: 2, offset: 0, [0, 1]) }
  }

  @Test func membersOfAUnionMayShareAPlaceWithOneAnotherOnly() throws {
    #expect(
      try problem(1) {
        try union($0[0], count: 2, offset: 3, [0, 1])
        try $0[0].struct.fields[1].slot.offset = 0
      } == nil)
    try expect(.overlappingField, member: "f2") {
      try union($0[0], count: 2, offset: 3, [0, 1, 0xffff])
      try $0[0].struct.fields[2].slot.offset = 1
    }
    // A field of a group, and one beside the group.
    try expect(.overlappingField, member: "b", nodes: 2) {
      structure($0[0], ["a", "b"])[0].initGroup().typeId = 2
      structure($0[1], ["c", "d"])
      try $0[1].struct.isGroup = true
      $0[1].scopeId = 1
      for index in 0..<2 {
        try $0[1].struct.fields[index].initOrdinal().explicit = UInt16(5 + index)
      }
    }
  }

  @Test func groupsInsideOneAnotherWithoutEndAreRefused() throws {
    let count = 1000
    try expect(.nestedTooDeep, nodes: count) {
      for index in 0..<count {
        let field = structure($0[index], ["g"])[0]
        field.initOrdinal().setImplicit()
        field.initGroup().typeId = UInt64(index + 2)
        try $0[index].struct.isGroup = index > 0
        $0[index].scopeId = UInt64(index)
      }
      structure($0[count - 1], [])
      try $0[count - 1].struct.isGroup = true
    }
  }

  /// A struct of the fields f0, f1 and so on, with the discriminants.
  private func union(_ node: Node.Builder, count: UInt16, offset: UInt32, _ values: [UInt16]) throws
  {
    let fields = structure(node, values.indices.map { "f\($0)" })
    for (index, value) in values.enumerated() { fields[index].discriminantValue = value }
    try node.struct.discriminantCount = count
    try node.struct.discriminantOffset = offset
  }

  @Test func defaultsAreOfTheirType() throws {
    try expect(.valueOfOtherType, member: "a") {
      try structure($0[0], ["a"])[0].slot.initDefaultValue().int8 = 0
    }
    try expect(.valueOfOtherType, member: "a") {
      let slot = try structure($0[0], ["a"])[0].slot
      slot.offset = 0
      slot.initType().initList().initElementType().setText()
      // A list that is a struct.
      slot.initDefaultValue().initList().initStructure(as: Field.Builder.self).name = "x"
    }
    try expect(.damaged(.textNotTerminated), member: "a") {
      let slot = try structure($0[0], ["a"])[0].slot
      slot.offset = 0
      slot.initType().setText()
      // A text without its end.
      slot.initDefaultValue()._raw.setDiscriminant(0, 12)
      slot.defaultValue._raw.pointer(0).setData([65, 66])
    }
  }

  @Test func unionsHaveTheMembersThatTheySay() throws {
    #expect(try problem(1) { try union($0[0], count: 2, offset: 3, [0, 1]) } == nil)
    try expect(.unionMemberCount(says: 3, has: 2)) {
      try union($0[0], count: 3, offset: 3, [0, 1])
    }
    try expect(.unionMemberCount(says: 1, has: 1)) { try union($0[0], count: 1, offset: 3, [0]) }
    try expect(.invalidDiscriminant(2), member: "f1") {
      try union($0[0], count: 2, offset: 3, [0, 2])
    }
    try expect(.invalidDiscriminant(0), member: "f1") {
      try union($0[0], count: 2, offset: 3, [0, 0])
    }
    try expect(.discriminantOutsideStruct(offset: 4)) {
      try union($0[0], count: 2, offset: 4, [0, 1])
    }
    try expect(.discriminantOutsideStruct(offset: .max)) {
      try union($0[0], count: 2, offset: .max, [0, 1])
    }
  }

  @Test func referencesLeadToNodesOfTheirKind() throws {
    func field(
      _ node: Node.Builder, _ set: (Type.Builder) -> Void, _ value: (Value.Builder) -> Void
    ) throws {
      let fields = structure(node, ["a"])
      let slot = try fields[0].slot
      slot.offset = 0
      set(slot.initType())
      value(slot.initDefaultValue())
    }
    try expect(.missingNode(9), member: "a") {
      try field($0[0], { $0.initStruct().typeId = 9 }, { $0._raw.setDiscriminant(0, 16) })
    }
    try expect(.nodeOfOtherKind(1, expected: "enum"), member: "a") {
      try field($0[0], { $0.initEnum().typeId = 1 }, { $0.enum = 0 })
    }
    try expect(.nodeOfOtherKind(1, expected: "interface"), member: "a") {
      try field($0[0], { $0.initInterface().typeId = 1 }, { $0.setInterface() })
    }
    try expect(.nodeOfOtherKind(2, expected: "struct"), member: "a", nodes: 2) {
      _ = $0[1].initEnum().initEnumerants(0)
      try field($0[0], { $0.initStruct().typeId = 2 }, { $0._raw.setDiscriminant(0, 16) })
    }
    try expect(.invalidParameter(scope: 1, index: 0), member: "a") {
      try field(
        $0[0],
        {
          let parameter = $0.initAnyPointer().initParameter()
          parameter.scopeId = 1
          parameter.parameterIndex = 0
        }, { $0._raw.setDiscriminant(0, 18) })
    }
    try expect(.parameterNotPointer, member: "a") {
      $0[0].initParameters(1)[0].name = "T"
      try field(
        $0[0],
        {
          let structure = $0.initStruct()
          structure.typeId = 1
          let scope = structure.initBrand().initScopes(1)[0]
          scope.scopeId = 1
          scope.initBind(1)[0].initType().setInt32()
        }, { $0._raw.setDiscriminant(0, 16) })
    }
  }

  @Test func typesThatAreNestedWithoutEndAreRefused() throws {
    try expect(.nestedTooDeep, member: "a") {
      let slot = try structure($0[0], ["a"])[0].slot
      slot.offset = 0
      nest(slot.initType(), 40)
      slot.initDefaultValue()._raw.setDiscriminant(0, 14)
    }
  }

  private func nest(_ type: Type.Builder, _ depth: Int) {
    if depth == 0 { type.setText() } else { nest(type.initList().initElementType(), depth - 1) }
  }

  @Test func groupsBelongToOneField() throws {
    func group(_ node: Node.Builder, scope: UInt64, words: UInt16 = 1) {
      node.scopeId = scope
      let group = node.initStruct()
      group.isGroup = true
      group.dataWordCount = words
      group.pointerCount = 1
    }
    func uses(_ node: Node.Builder, _ ids: [UInt64]) {
      let fields = structure(node, ids.indices.map { "g\($0)" })
      for (index, id) in ids.enumerated() { fields[index].initGroup().typeId = id }
    }
    #expect(
      try problem(2) {
        uses($0[0], [2])
        group($0[1], scope: 1)
      } == nil)
    try expect(.foreignGroup(2), member: "g0", nodes: 2) {
      uses($0[0], [2, 2])
      group($0[1], scope: 1)
    }
    try expect(.foreignGroup(2), member: "g0", nodes: 2) {
      uses($0[0], [2])
      group($0[1], scope: 1, words: 2)
    }
    try expect(.foreignGroup(2), member: "g0", nodes: 3) {
      uses($0[0], [2])
      group($0[1], scope: 3)
      structure($0[2], [])
    }
    try expect(.nodeOfOtherKind(2, expected: "group"), member: "g0", nodes: 2) {
      uses($0[0], [2])
      structure($0[1], [])
    }
    try expect(.missingNode(2), member: "g0") { uses($0[0], [2]) }
    try expect(.foreignGroup(1)) { group($0[0], scope: 0) }
    // A group of itself, and two of one another.
    try expect(.cycle) {
      uses($0[0], [1])
      try $0[0].struct.isGroup = true
      $0[0].scopeId = 1
    }
    try expect(.cycle, nodes: 2) {
      uses($0[0], [2])
      try $0[0].struct.isGroup = true
      $0[0].scopeId = 2
      uses($0[1], [1])
      try $0[1].struct.isGroup = true
      $0[1].scopeId = 1
    }
  }

  @Test func scopesAndSuperclassesHaveNoCycles() throws {
    try expect(.cycle, nodes: 2) {
      $0[0].scopeId = 2
      $0[1].scopeId = 1
    }
    try expect(.cycle, nodes: 2) {
      $0[0].initInterface().initSuperclasses(1)[0].id = 2
      $0[1].initInterface().initSuperclasses(1)[0].id = 1
    }
    try expect(.missingNode(9)) { $0[0].initInterface().initSuperclasses(1)[0].id = 9 }
    try expect(.missingNode(9), member: "m") {
      let method = $0[0].initInterface().initMethods(1)[0]
      method.name = "m"
      method.paramStructType = 9
    }
  }

  /// What is followed inwards is followed by recursion, and for each of many nodes.
  @Test func scopesAndGroupsAreNotNestedWithoutEnd() throws {
    func chain(_ nodes: ListBuilder<Node.Builder>) {
      for index in nodes.indices.dropFirst() { nodes[index].scopeId = UInt64(index) }
    }
    #expect(try problem(60, chain) == nil)
    try expect(.nestedTooDeep, nodes: 100) { chain($0) }
    try expect(.nestedTooDeep, nodes: 20_000) { nodes in
      chain(nodes)
      for index in nodes.indices {
        let structure = nodes[index].initStruct()
        structure.isGroup = index > 0
        if index + 1 < nodes.count {
          let field = structure.initFields(1)[0]
          field.name = "g"
          field.discriminantValue = .max
          field.initGroup().typeId = UInt64(index + 2)
        }
      }
    }
  }

  @Test func interfacesHaveNoMoreSuperclassesThanAnyHonestOne() throws {
    try expect(.nestedTooDeep, nodes: 100) { nodes in
      for index in nodes.indices.dropLast() {
        nodes[index].initInterface().initSuperclasses(1)[0].id = UInt64(index + 2)
      }
      _ = nodes[99].initInterface()
    }
    try expect(.nestedTooDeep, nodes: 2) { nodes in
      let superclasses = nodes[0].initInterface().initSuperclasses(1000)
      for index in superclasses.indices { superclasses[index].id = 2 }
      _ = nodes[1].initInterface()
    }
  }

  @Test func bindingsAreNoMoreThanAnyHonestType() throws {
    try expect(.nestedTooDeep, member: "a") {
      let slot = try structure($0[0], ["a"])[0].slot
      slot.offset = 0
      let type = slot.initType().initStruct()
      type.typeId = 1
      let bindings = type.initBrand().initScopes(1)[0].initBind(5000)
      for index in bindings.indices { bindings[index].initType().setText() }
      slot.initDefaultValue()._raw.setDiscriminant(0, 16)
    }
  }

  @Test func groupsThatLeadToOneAnotherAreNotFollowedTwice() throws {
    // Each of the groups names the next one twice: the paths through them double at each.
    try expect(.foreignGroup(3), member: "g0", nodes: 60) { nodes in
      for index in nodes.indices {
        nodes[index].scopeId = UInt64(index)
        let structure = nodes[index].initStruct()
        structure.isGroup = index > 0
        guard index + 1 < nodes.count else { continue }
        let fields = structure.initFields(index == 0 ? 1 : 2)
        for field in fields.indices {
          fields[field].name = "g\(field)"
          fields[field].codeOrder = UInt16(field)
          fields[field].discriminantValue = .max
          fields[field].initGroup().typeId = UInt64(index + 2)
        }
      }
    }
  }

  /// Requests with a few bytes changed: whatever is loaded can be used without a trap.
  @Test(arguments: 0..<8) func damagedRequestsAreRefusedOrUsable(seed: Int) throws {
    var random = SplitMix(seed: UInt64(seed))
    let request = try Oracle.request(Oracle.schemas + "everything.capnp")
    let text = try TextTests.message("Everything", TextTests.values[11].text)
    for _ in 0..<60 {
      var damaged = request
      for _ in 0...random.next(below: 3) {
        damaged[16 + random.next(below: damaged.count - 16)] = UInt8(random.next(below: 256))
      }
      exerciseLoader(damaged, message: text)
    }
  }
}

/// Loads a request, and uses what is loaded on a message of any content. For fuzzers too.
func exerciseLoader(_ request: [UInt8], message: [UInt8]) {
  guard let reader = try? MessageReader(flat: request),
    let request = try? reader.root(as: CodeGeneratorRequest.Reader.self)
  else { return }
  var loader = SchemaLoader()
  guard (try? loader.add(request)) != nil, let schema = try? loader.schema() else { return }
  let limits = CodecLimits(nestingDepth: 16, words: 1 << 16, bytes: 1 << 16)
  for id in schema.nodes.keys {
    guard let structure = schema.structure(id), let reader = try? MessageReader(flat: message),
      let root = try? reader.root(as: structure)
    else { continue }
    if let text = try? TextCodec(limits: limits).encode(root) {
      let message = MessageBuilder()
      try? TextCodec(limits: limits).decode(text, into: message.initRoot(as: structure))
    }
    if let json = try? JSONCodec(limits: limits).encode(root) {
      let message = MessageBuilder()
      try? JSONCodec(limits: limits).decode(json, into: message.initRoot(as: structure))
    }
  }
  _ = schema.differences(to: schema)
}

/// A generator whose numbers a seed decides.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  mutating func next(below count: Int) -> Int { Int(next() % UInt64(count)) }
}
