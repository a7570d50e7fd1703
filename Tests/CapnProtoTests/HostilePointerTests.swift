import CapnProto
import Testing

/// Pointers as only a hostile or damaged sender makes them: each is an error, none a trap.
@Suite struct HostilePointerTests {
  /// Offsets at and past the ends of 30 signed bits, from a message of a few words.
  static let offsets = [-(1 << 29), -(1 << 29) + 1, -3, -2, 3, 4, (1 << 29) - 2, (1 << 29) - 1]

  @Test(arguments: offsets) func structOutsideItsSegment(offset: Int) {
    for (data, pointers) in [(1, 0), (0, 1), (.max, 0), (0, .max), (.max, .max)]
      as [(UInt16, UInt16)]
    {
      let word = structure(offset, data: data, pointers: pointers)
      #expect(errorReading([word, 0, 0]) { _ = try $0.structure() } == .pointerOutOfBounds)
    }
  }

  @Test(arguments: offsets) func listOutsideItsSegment(offset: Int) {
    for size in [ElementSize.bit, .byte, .twoBytes, .fourBytes, .eightBytes, .pointer] {
      for count in [1, 1 << 28, 1 << 29 - 1] as [UInt64] {
        let word = list(offset, size, count)
        #expect(errorReading([word, 0, 0]) { _ = try $0.anyList() } == .pointerOutOfBounds)
      }
    }
    for words in [0, 1, 1 << 29 - 1] as [UInt64] {
      let word = list(offset, .inlineComposite, words)
      #expect(errorReading([word, 0, 0]) { _ = try $0.anyList() } == .pointerOutOfBounds)
    }
  }

  @Test(arguments: offsets) func textAndDataOutsideTheirSegment(offset: Int) {
    for count in [1, 8, 1 << 29 - 1] as [UInt64] {
      let word = list(offset, .byte, count)
      #expect(errorReading([word, 0, 0]) { _ = try $0.text() } == .pointerOutOfBounds)
      #expect(errorReading([word, 0, 0]) { _ = try $0.data() } == .pointerOutOfBounds)
    }
  }

  @Test func objectThatEndsOneWordPastItsSegment() {
    #expect(
      errorReading([structure(0, data: 1, pointers: 1), 0]) { _ = try $0.structure() }
        == .pointerOutOfBounds)
    #expect(
      errorReading([list(0, .eightBytes, 2), 0]) { _ = try $0.anyList() } == .pointerOutOfBounds)
    #expect(errorReading([list(0, .byte, 9), 0]) { _ = try $0.data() } == .pointerOutOfBounds)
    #expect(errorReading([list(0, .bit, 65), 0]) { _ = try $0.anyList() } == .pointerOutOfBounds)
  }

  @Test func objectThatEndsWithItsSegment() throws {
    try reading([structure(0, data: 1, pointers: 1), 42, 0]) { (root) throws in
      let object = try root.structure()
      #expect(object.read(0, as: UInt64.self) == 42)
      #expect(object.pointer(0).isNull == true)
    }
    try reading([list(0, .byte, 8), characters("12345678")]) { (root) throws in
      #expect(try root.data().array == Array("12345678".utf8))
    }
  }

  @Test func emptyObjectsAnywhereInsideTheSegment() throws {
    // As other implementations write them: with an offset of -1, or to the very end.
    for offset in [-1, 0] {
      try reading([structure(offset, data: 0, pointers: 0)]) { (root) throws in
        #expect(try root.structure().layout == StructLayout(dataWords: 0, pointers: 0))
      }
    }
    try reading([list(0, .byte, 0)]) { (root) throws in #expect(try root.data().isEmpty) }
    #expect(
      errorReading([list(1, .byte, 0)]) { _ = try $0.data() } == .pointerOutOfBounds)
  }

  @Test func wrongKindOfPointer() {
    let aList = [list(0, .byte, 1), 0] as [UInt64]
    let aStruct = [structure(0, data: 1, pointers: 0), 0] as [UInt64]
    #expect(
      errorReading(aList) { _ = try $0.structure() }
        == .unexpectedPointer(expected: .structure, found: .list))
    for word in [capability(0), 0xffff_ffff_ffff_ffff, 7] as [UInt64] {
      #expect(
        errorReading([word]) { _ = try $0.structure() }
          == .unexpectedPointer(expected: .structure, found: .capability))
      #expect(
        errorReading([word]) { _ = try $0.text() }
          == .unexpectedPointer(expected: .list, found: .capability))
    }
    #expect(
      errorReading(aStruct) { _ = try $0.anyList() }
        == .unexpectedPointer(expected: .list, found: .structure))
    #expect(
      errorReading(aStruct) { _ = try $0.data() }
        == .unexpectedPointer(expected: .list, found: .structure))
    #expect(
      errorReading(aStruct) { _ = try $0.capability() }
        == .unexpectedPointer(expected: .capability, found: .structure))
  }

  @Test func capabilityPointers() throws {
    try reading([capability(0)]) { (root) throws in #expect(try root.capability() == nil) }
    try reading([capability(.max)]) { (root) throws in #expect(try root.capability() == nil) }
    // The reserved kinds of "other" pointers are no capabilities.
    #expect(
      errorReading([7]) { _ = try $0.capability() }
        == .unexpectedPointer(expected: .capability, found: .capability))
    #expect(
      errorReading([far(1, 0)], [capability(0)]) { _ = try $0.capability() }
        == .unexpectedPointer(expected: .capability, found: .far))
  }

  @Test func farPointersThatLeadNowhere() {
    func structureError(_ first: [UInt64], _ second: [UInt64]) -> DecodingError? {
      errorReading(first, second) { _ = try $0.structure() }
    }
    #expect(structureError([far(2, 0)], []) == .unknownSegment(id: 2))
    #expect(structureError([far(.max, 0)], []) == .unknownSegment(id: .max))
    for double in [false, true] {
      #expect(structureError([far(1, 0, double: double)], []) == .invalidLandingPad)
      #expect(structureError([far(1, 1 << 29 - 1, double: double)], [0]) == .invalidLandingPad)
    }
    // A double-far pad is two words.
    #expect(structureError([far(1, 0, double: true)], [far(0, 0)]) == .invalidLandingPad)
    // A far pointer to a far pointer, of itself even.
    #expect(structureError([far(0, 0)], []) == .invalidLandingPad)
    #expect(structureError([far(1, 0)], [far(0, 0)]) == .invalidLandingPad)
    #expect(structureError([far(1, 0)], [far(0, 0, double: true)]) == .invalidLandingPad)
    // The object behind a pad lies outside the pad's segment.
    #expect(
      structureError([far(1, 0)], [structure(0, data: 1, pointers: 0)]) == .pointerOutOfBounds)
    #expect(
      structureError([far(1, 0)], [structure(-2, data: 1, pointers: 0), 0]) == .pointerOutOfBounds)
  }

  @Test func doubleFarPadsThatAreMalformed() {
    let object = structure(0, data: 1, pointers: 0)
    func structureError(_ pad: [UInt64], _ content: [UInt64] = [42]) -> DecodingError? {
      errorReading([far(1, 0, double: true)], pad, content) { _ = try $0.structure() }
    }
    #expect(structureError([far(2, 0), object]) == nil)
    #expect(structureError([object, object]) == .invalidLandingPad)
    #expect(structureError([0, object]) == .invalidLandingPad)
    #expect(structureError([far(2, 0, double: true), object]) == .invalidLandingPad)
    #expect(structureError([far(2, 0), far(2, 0)]) == .invalidLandingPad)
    #expect(structureError([far(2, 0), capability(0)]) == .invalidLandingPad)
    #expect(
      structureError([far(2, 0), structure(1, data: 1, pointers: 0)]) == .invalidLandingPad)
    #expect(structureError([far(3, 0), object]) == .unknownSegment(id: 3))
    #expect(structureError([far(2, 1), object]) == .pointerOutOfBounds)
    #expect(structureError([far(2, 1 << 29 - 1), object]) == .pointerOutOfBounds)
    #expect(structureError([far(2, 0), object], []) == .pointerOutOfBounds)
  }

  @Test func landingPadsThatAreSound() throws {
    try reading([far(1, 1)], [42, structure(-2, data: 1, pointers: 0)]) { (root) throws in
      #expect(try root.structure().read(0, as: UInt64.self) == 42)
    }
    try reading(
      [far(1, 0, double: true)], [far(2, 1), list(0, .inlineComposite, 1)],
      [0, tag(count: 1, data: 1, pointers: 0), 42]
    ) { (root) throws in
      let list = try root.anyList()
      #expect(list.count == 1)
      #expect(list.structure(0).read(0, as: UInt64.self) == 42)
    }
  }

  @Test func tagsOfStructListsThatAreMalformed() {
    func listError(_ words: UInt64, _ content: UInt64...) -> DecodingError? {
      errorReading([list(0, .inlineComposite, words)] + content) { _ = try $0.anyList() }
    }
    #expect(listError(1, tag(count: 1, data: 1, pointers: 0), 0) == nil)
    // No struct pointer.
    #expect(listError(1, list(1, .eightBytes, 1), 0) == .invalidListTag)
    #expect(listError(1, far(0, 1), 0) == .invalidListTag)
    #expect(listError(1, capability(1), 0) == .invalidListTag)
    // A negative count, for who reads it as signed.
    #expect(listError(1, tag(count: -1, data: 1, pointers: 0), 0) == .invalidListTag)
    #expect(listError(1, tag(count: -1, data: 0, pointers: 0), 0) == .invalidListTag)
    #expect(listError(1, tag(count: -(1 << 29), data: 0, pointers: 0), 0) == .invalidListTag)
    // More elements than words.
    #expect(listError(1, tag(count: 2, data: 1, pointers: 0), 0) == .invalidListTag)
    #expect(listError(1, tag(count: 1, data: 1, pointers: 1), 0) == .invalidListTag)
    #expect(
      listError(1, tag(count: 1 << 29 - 1, data: .max, pointers: .max), 0) == .invalidListTag)
    // The tag is outside, the list is not closed.
    #expect(listError(0) == .pointerOutOfBounds)
    #expect(listError(2, tag(count: 1, data: 1, pointers: 0), 0) == .pointerOutOfBounds)
    // Fewer elements than words is fine.
    #expect(listError(2, tag(count: 1, data: 1, pointers: 0), 0, 0) == nil)
  }

  @Test func messageWithoutRoot() throws {
    #expect(errorReading([]) { _ in } == .missingRoot)
    #expect(errorReading([], [0]) { _ in } == .missingRoot)
    try reading([0]) { (root) throws in
      #expect(root.isNull == true)
      #expect(try root.kind == nil)
      #expect(try root.structure().read(0, as: UInt64.self) == 0)
      #expect(try root.text().isEmpty == true)
      #expect(try root.data().isEmpty == true)
      #expect(try root.anyList().count == 0)
      #expect(try root.list(of: TextReader.self).isEmpty == true)
      #expect(try root.capability() == nil)
    }
  }

  @Test func kindsAreToldThroughFarPointers() throws {
    try reading([far(1, 0)], [list(0, .byte, 0)]) { (root) throws in #expect(try root.kind == .list)
    }
    try reading([capability(3)]) { (root) throws in #expect(try root.kind == .capability) }
    #expect(errorReading([far(1, 0)]) { _ = try $0.kind } == .unknownSegment(id: 1))
  }
}
