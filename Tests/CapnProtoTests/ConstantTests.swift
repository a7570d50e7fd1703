import CapnProto
import Testing

@Suite struct ConstantTests {
  static let value = ConstantMessage(
    words: [structure(0, data: 1, pointers: 1), 3, list(0, .byte, 3), characters("hi")])

  /// A constant is valid anywhere: a reader of it depends on nothing.
  @_lifetime(immortal)
  static func constant() throws -> Small.Reader { try value.pointer.structure() }

  @Test func constantIsReadInPlace() throws {
    let constant = try Self.constant()
    #expect(constant.number == 3)
    #expect(try constant.text == "hi")
  }

  @Test func defaultStandsForANullPointer() throws {
    try reading([structure(0, data: 0, pointers: 1), 0]) { (root) throws in
      let object = try root.structure()
      for index in [0, 5] {
        let value = try object.pointer(index, default: Self.value).structure(as: Small.Reader.self)
        #expect(try value.text == "hi")
      }
    }
    try reading([structure(0, data: 0, pointers: 1), list(0, .byte, 2), characters("x")]) {
      (root) throws in
      #expect(try root.structure().pointer(0, default: Self.value).text() == "x")
    }
  }

  @Test func constantCanBeRetained() throws {
    let ref = try Self.constant().retained()
    #expect(try ref.reader.text == "hi")
  }

  @Test func constantIsReadWithoutEnd() throws {
    let text = ConstantMessage(words: [list(0, .byte, 8000)] + [UInt64](repeating: 0, count: 1000))
    for _ in 0..<10_000 { _ = try text.pointer.text() }
  }

  @Test func constantsAreTrustedNoMoreThanMessages() {
    let bad = ConstantMessage(words: [structure(5, data: 1, pointers: 0)])
    #expect(throws: DecodingError.pointerOutOfBounds) { _ = try bad.pointer.structure() }
  }
}
