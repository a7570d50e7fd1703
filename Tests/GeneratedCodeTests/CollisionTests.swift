import CapnProto
import Testing

/// The schema is full of names that mean something else; that its code compiles is the better part
/// of the test.
@Suite struct CollisionTests {
  @Test func membersAreWhatTheSchemaSays() throws {
    let message = MessageBuilder()
    let target: Members.Builder = message.initRoot()
    target.self_ = 1
    target.init_ = "init"
    target.type = 2
    target.which_ = "which"
    target.initReader(1)[0] = 3
    target.builder = "builder"
    target.description = "description"
    target.hashValue = 4
    target.totalSize_ = [5]
    target.hasInit = "hasInit"
    target.newValue = 6
    target.await = true
    target.url = "url"
    target.uRL = "uRL"
    target.value = "value"
    let reader = target.reader
    #expect(reader.hasInit_ == true)
    #expect(try reader.hasInit.string == "hasInit")
    let text = try Oracle.decode(message.flattened(), as: "Members", in: "collisions")
    #expect(text.hasPrefix("(self = 1, init = \"init\", type = 2, which = \"which\", reader = [3]"))
    for member in ["url = \"url\"", "uRL = \"uRL\"", "await = true", "newValue = 6"] {
      #expect(text.contains(member))
    }
  }

  @Test func namesMadeUpForFieldsMakeWayForOneAnother() throws {
    let message = MessageBuilder()
    let target: Derived.Builder = message.initRoot()
    target.initA_(1)[0] = "a"
    target.initInitA_(1)[0] = "initA"
    target.initAField__(1)[0] = "aField"
    target.A = [1]
    target.setEmpty_()
    target.initInner().x = 2
    target.initInner_().x = 3
    #expect(target.aField_.isSet == true)
    #expect(target.initAField_.isSet == true)
    let reader = target.reader
    #expect(reader.hasA_ == true)
    #expect(reader.hasInitA == true)
    #expect(reader.hasAField_ == true)
    #expect(reader.hasA__ == true)
    let text = try Oracle.decode(message.flattened(), as: "Derived", in: "collisions")
    #expect(text.contains("a = [\"a\"], initA = [\"initA\"], aField = [\"aField\"]"))
    #expect(text.contains("capital = \"\\001\""))
    #expect(text.contains("capitalInner = (x = 3)"))
  }

  @Test func enumsAndUnionsAreWhatTheSchemaSays() throws {
    #expect(Cases(rawValue: 4) == .unknown_)
    #expect(Cases(rawValue: 400) == .unknown(400))
    #expect(Cases.hashValue_.rawValue == 7)
    let message = MessageBuilder()
    let target: Variants.Builder = message.initRoot()
    target.unknown = 7
    guard case .unknown_(7) = try target.reader.which else {
      Issue.record("another member is set")
      return
    }
    target.which_ = "w"
    guard case .which(let text) = try target.reader.which else {
      Issue.record("another member is set")
      return
    }
    #expect(text.string == "w")
  }

  @Test func typesHaveTheirOwnNames() throws {
    let message = MessageBuilder()
    let target: Holder.Builder = message.initRoot()
    target.flags.y = 1
    #expect(target.reader.flags.y == 1)
    #expect(Holder.Flags_._typeID != Holder.Flags._typeID)
  }
}
