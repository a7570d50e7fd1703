import CapnProto
import Testing

/// Two files of a folder named `capnp` that import each other and declare the same name.
@Suite struct MutualImportTests {
  @Test func valuesOfBothFilesAreReadBack() throws {
    let message = MessageBuilder()
    let left: Left.Builder = message.initRoot()
    left.event.number = 7
    left.right.event.text = "seven"
    left.right.left.event.number = 8
    let reader = try MessageReader(flat: message.flattened())
    let root: Left.Reader = try reader.root()
    #expect(try root.event.number == 7)
    let event: Event_capnp_right.Reader = try root.right.event
    #expect(try event.text == "seven")
    #expect(try root.right.left.event.number == 8)
  }

  @Test func eachFileImportsTheOtherAtRunTime() {
    let imported = Left._schemaFile.imports
    #expect(imported.map(\.id) == [Right._schemaFile.id])
    #expect(imported.first?.imports.map(\.id) == [Left._schemaFile.id])
  }
}
