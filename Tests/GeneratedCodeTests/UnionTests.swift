import CapnProto
import Testing

@Suite struct UnionTests {
  /// The name of the member that is set, and its value.
  private static func member(_ reader: Unions.Reader) throws -> String {
    switch try reader.which {
    case .nothing: "nothing"
    case .number(let number): "number \(number)"
    case .flag(let flag): "flag \(flag)"
    case .name(let name): "name \(name.string)"
    case .bytes(let bytes): "bytes \(bytes.array)"
    case .child(let child): "child \(child.before)"
    case .list(let list): "list \(list.array)"
    case .any(let any): "any \(any.isNull)"
    case .color(let color): "color \(color)"
    case .pair(let pair): "pair \(pair.left) \(try pair.right.string)"
    case .unknown(let number): "unknown \(number)"
    }
  }

  @Test func settingAMemberSelectsIt() throws {
    let message = MessageBuilder()
    let target: Unions.Builder = message.initRoot()
    #expect(try Self.member(target.reader) == "nothing")
    target.number = 5
    #expect(try Self.member(target.reader) == "number 5")
    target.flag = true
    #expect(try Self.member(target.reader) == "flag true")
    target.name = "n"
    #expect(try Self.member(target.reader) == "name n")
    #expect(target.nameField.isSet == true)
    #expect(target.bytesField.isSet == false)
    target.bytes = [1]
    #expect(try Self.member(target.reader) == "bytes [1]")
    target.initChild().before = 3
    #expect(try Self.member(target.reader) == "child 3")
    target.initList(2)[1] = 9
    #expect(try Self.member(target.reader) == "list [0, 9]")
    target.initAny().initStructure(as: Point.Builder.self).x = 1
    #expect(try Self.member(target.reader) == "any false")
    target.color = .blue
    #expect(try Self.member(target.reader) == "color blue")
    let pair = target.initPair()
    #expect(try Self.member(target.reader) == "pair 0 right")
    pair.left = 4
    pair.right = "r"
    #expect(try Self.member(target.reader) == "pair 4 r")
    target.setNothing()
    #expect(try Self.member(target.reader) == "nothing")
  }

  @Test(arguments: [
    "(number = 12)", "(flag = true)", "(name = \"x\")", "(child = (before = 1, nothing = void))",
    "(list = [1, 2])", "(color = red)", "(pair = (left = 5, right = \"x\"))",
  ])
  func capnpAndWeAgreeOnTheMember(text: String) throws {
    let bytes = try Oracle.encode(text, as: "Unions")
    let message = try MessageReader(flat: bytes)
    let reader: Unions.Reader = try message.root()
    let name = text.dropFirst().prefix { $0 != " " }
    #expect(try Self.member(reader).hasPrefix(name))
    let copy = MessageBuilder()
    try copy.root.set(reader)
    #expect(
      try Oracle.decode(copy.flattened(), as: "Unions") == Oracle.decode(bytes, as: "Unions"))
  }

  @Test func membersOfNewerSchemasAreUnknown() throws {
    let message = MessageBuilder()
    let target: Unions.Builder = message.initRoot()
    target.number = 1
    let discriminant = UInt16(77)
    let words = message.flattened()
    // The discriminant is the only 16-bit place that holds 1 for `number`.
    var changed = words
    for index in stride(from: 8, to: words.count, by: 2)
    where words[index] == 1 && words[index + 1] == 0 && index != 16 && changed == words {
      changed[index] = UInt8(discriminant)
      let reader = try MessageReader(flat: changed)
      let root: Unions.Reader = try reader.root()
      if case .unknown(77) = try root.which { return }
      changed = words
    }
    Issue.record("no place of the discriminant found")
  }

  @Test func namedUnionsAndGroupsShareTheStruct() throws {
    let message = MessageBuilder()
    let target: Unions.Builder = message.initRoot()
    target.named.no = "because"
    if case .no(let text) = try target.reader.named.which {
      #expect(text.string == "because")
    } else {
      Issue.record("not selected")
    }
    target.named.initInner().deep = 2.5
    try target.named.inner.initTwo(1)[0] = "t"
    target.position.y = -1
    target.position.label = "here"
    #expect(target.reader.position.x == 11)
    #expect(target.reader.position.visible == true)
    let text = try Oracle.decode(message.flattened(), as: "Unions")
    #expect(text.contains("named = (inner = (deep = 2.5, two = [\"t\"]))"))
    #expect(text.contains("position = (x = 11, y = -1, visible = true, label = \"here\")"))
  }

  @Test func gettersOfABuilderLeaveTheMemberThatIsSet() throws {
    let message = MessageBuilder()
    let target: Unions.Builder = message.initRoot()
    target.initChild().before = 3
    target.named.no = "because"
    let bytes = message.flattened()
    #expect(target.number == 7)
    #expect(target.flag == false)
    #expect(target.name == "")
    #expect(target.bytes == [])
    #expect(target.color == .green)
    for member in ["list", "any", "pair", "inner"] {
      let error = #expect(throws: InactiveMemberError.self) {
        switch member {
        case "list": _ = try target.list
        case "any": _ = try target.any
        case "pair": _ = try target.pair
        default: _ = try target.named.inner
        }
      }
      #expect(error?.member == member)
      #expect(error?.discriminant == (member == "inner" ? 1 : 5))
    }
    #expect(message.flattened() == bytes)
    #expect(try target.child.before == 3)
    try target.child.before = 4
    #expect(try Self.member(target.reader) == "child 4")
    let inner = target.named.initInner()
    inner.one = 9
    #expect(throws: InactiveMemberError.self) { _ = try inner.two }
    #expect(inner.one == 9)
    #expect(try target.named.inner.one == 9)
  }

  @Test func initialisingAGroupErasesWhatItHeld() throws {
    let message = MessageBuilder()
    let target: Unions.Builder = message.initRoot()
    target.before = 1
    target.position.x = 5
    target.position.visible = false
    target.position.label = "old"
    target.initPosition().y = 3
    #expect(target.before == 1)
    #expect(target.position.x == 11)
    #expect(target.position.visible == true)
    #expect(target.position.label.isEmpty == true)
    #expect(target.position.y == 3)
  }
}
