import CapnProto
import Testing

@Suite struct BuildAndReadTests {
  @Test func scalarsAreReadAsTheyWereSet() throws {
    let message = MessageBuilder()
    let everything: Everything.Builder = message.initRoot()
    everything.int8 = -3
    #expect(everything.int8 == -3)
  }
}
