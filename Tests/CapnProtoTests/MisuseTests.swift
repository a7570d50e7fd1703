import CapnProto
import Testing

/// An index that no generated code has is a trap or reads as missing; it never reaches past memory.
@Suite struct MisuseTests {
  /// Indices whose products with an element's size wrap around to small numbers.
  static let wild = [-1, -8, .min, .max, 1 << 58, 1 << 59, 1 << 60, 1 << 61, -(1 << 58)]

  @Test(arguments: wild) func readersReadDefaultsAtWildIndices(index: Int) throws {
    try reading([structure(0, data: 2, pointers: 1), .max, .max, .max]) { (root) throws in
      let object = try root.structure()
      #expect(object.read(index, as: UInt64.self) == 0)
      #expect(object.read(index, as: UInt32.self) == 0)
      #expect(object.read(index, as: UInt8.self) == 0)
      #expect(object.readBool(index) == false)
      #expect(object.discriminant(index) == 0)
      #expect(object.pointer(index).isNull == true)
      #expect(object.hasPointer(index) == false)
    }
  }

  @Test func buildersTrapAtWildIndices() async {
    await #expect(processExitsWith: .failure) { Self.small { $0.write(-1, 5 as UInt64) } }
    await #expect(processExitsWith: .failure) { Self.small { $0.write(1 << 61, 5 as UInt64) } }
    await #expect(processExitsWith: .failure) { Self.small { $0.write(1, 5 as UInt64) } }
    await #expect(processExitsWith: .failure) { Self.small { $0.writeBool(-1, true) } }
    await #expect(processExitsWith: .failure) { Self.small { $0.writeBool(64, true) } }
    await #expect(processExitsWith: .failure) { Self.small { _ = $0.read(-2, as: UInt8.self) } }
    await #expect(processExitsWith: .failure) { Self.small { $0.pointer(1).clear() } }
    await #expect(processExitsWith: .failure) { Self.small { $0.pointer(-1).clear() } }
  }

  static func small(_ body: (StructBuilder) -> Void) {
    let message = MessageBuilder()
    body(message.initRoot(as: Small.Builder.self)._raw)
  }

  @Test func listsTrapOutsideTheirElements() async {
    await #expect(processExitsWith: .failure) {
      let message = MessageBuilder()
      message.root.initList(of: UInt64.self, count: 2)[2] = 1
    }
    await #expect(processExitsWith: .failure) {
      let message = MessageBuilder()
      let list = message.root.initList(of: UInt64.self, count: 2)
      _ = UInt64._element(list._list.reader, 1 << 20)
    }
    await #expect(processExitsWith: .failure) {
      let message = MessageBuilder()
      let list = message.root.initList(of: UInt64.self, count: 2)
      UInt64._setElement(list._list, -1, 5)
    }
  }

  @Test func aWrongIndexIsNamedWithTheCount() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let message = MessageBuilder()
      message.root.initList(of: UInt64.self, count: 2)[2] = 1
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("index 2 is out of range of a list of 2 elements"))
  }

  @Test func elementsOfAnotherSizeAreNeitherReadNorWritten() async {
    // A number written over a pointer would lead anywhere.
    await #expect(processExitsWith: .failure) {
      let message = MessageBuilder()
      let list = message.root.initList(of: TextType.self, count: 2)
      UInt64._setElement(list._list, 0, structure(1 << 20, data: 9, pointers: 9))
    }
    await #expect(processExitsWith: .failure) {
      let message = MessageBuilder()
      let list = message.root.initList(of: UInt8.self, count: 2)
      _ = UInt64._element(list._list.reader, 1)
    }
    await #expect(processExitsWith: .failure) {
      let message = MessageBuilder()
      let list = message.root.initList(of: VoidValue.self, count: 2)
      Bool._setElement(list._list, 1, true)
    }
  }
}
