import CapnProto
import Testing

@Suite struct NamesTests {
  @Test func namesThatSwiftTakesAreUsable() throws {
    let message = MessageBuilder()
    let target: Keywords.Builder = message.initRoot()
    target.class = 1
    target.self_ = 2
    target.init_ = "i"
    target.which_ = 3
    target.reader_ = "r"
    target.retained_ = true
    target.hasName = true
    target.name = "n"
    target.setName = 4
    target.initList = 5
    target.initList_(1)[0] = 6
    target.type = .none
    target.protocol = 7
    target.raw.reader_ = 8
    target.string.double = 9
    target.shadowed.q = 10
    target.nestedShadow.z = 11
    target.struct.enum = 12
    let text = try Oracle.decode(message.flattened(), as: "Keywords")
    #expect(
      text
        == """
        (class = 1, self = 2, init = "i", which = 3, reader = "r", retained = true, \
        hasName = true, name = "n", setName = 4, initList = 5, list = "\\x06", type = none, \
        protocol = 7, default = default, in = 3, raw = (reader = 8), string = (double = 9), \
        shadowed = (q = 10), nestedShadow = (z = 11), struct = (enum = 12))
        """.replacing("list = \"\\x06\"", with: "list = [6]"))
    #expect(target.reader.hasName == true)
    #expect(target.reader.hasName_ == true)
    let kept = try target.reader.retained()
    #expect(kept.reader.retained_ == true)
  }

  @Test func constantsHaveTheValuesOfCapnp() throws {
    #expect(try Oracle.evaluate("answer") == "\(answer)")
    #expect(try Oracle.evaluate("ratio") == "\(ratio)")
    #expect(try Oracle.evaluate("enabled") == "\(enabled)")
    #expect(motto == "\"In\" \\ out\n")
    #expect(magic == [0xca, 0xfe, 0])
    #expect(favourite == .self_)
    #expect(unit.x == 1)
    #expect(unit.y == 1)
    #expect(primes.array == [2, 3, 5, 7])
    #expect(try greetings.map { $0.string } == ["hello", "salut"])
    #expect(Outer.limit == 512)
    #expect(Outer.origin.y == 6)
    #expect(Outer.Middle.Inner.deep == 200)
  }

  @Test func nestedTypesNest() throws {
    let message = MessageBuilder()
    let target: Outer.Builder = message.initRoot()
    #expect(target.middle.inner.value == 9)
    target.kind = .large
    let inner: Outer.Middle.Inner.Reader = try target.reader.middle.inner
    #expect(inner.value == 9)
    #expect(Outer.Kind(rawValue: 1) == .large)
  }

  @Test func typesKnowTheirIDs() {
    #expect(Shape._typeID == Shape._typeID)
    #expect(Everything._typeID != Defaults._typeID)
  }
}
