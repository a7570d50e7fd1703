import CapnProto
import CapnProtoCompat
import Testing

/// Types of compat/json.capnp in other schemas.
@Suite struct JSONValueTests {
  @Test func valuesOfTheStandardFileAreReadBack() throws {
    let message = MessageBuilder()
    let setting: Setting.Builder = message.initRoot()
    setting.name = "limit"
    setting.value.number = 12
    let reader = try MessageReader(flat: message.flattened())
    let root: Setting.Reader = try reader.root()
    guard case .number(let number) = try root.value.which else {
      Issue.record("not a number")
      return
    }
    #expect(number == 12)
    #expect(Setting._schemaFile.imports.map(\.id) == [0x8ef9_9297_a43a_5e34])
  }
}
