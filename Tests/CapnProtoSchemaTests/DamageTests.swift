import CapnProto
import CapnProtoSchema
import Testing

/// Text, JSON and messages with a few bytes changed: they are refused or read, and never a trap.
@Suite(.serialized) struct DamageTests {
  private func damaged(_ bytes: [UInt8], _ random: inout SplitMix) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.next(below: 3) where !bytes.isEmpty {
      let index = random.next(below: bytes.count)
      switch random.next(below: 4) {
      case 0: bytes.remove(at: index)
      case 1: bytes.insert(bytes[random.next(below: bytes.count)], at: index)
      case 2: bytes.removeSubrange(index..<min(bytes.count, index + random.next(below: 8)))
      default: bytes[index] = UInt8(random.next(below: 256))
      }
    }
    return bytes
  }

  @Test(arguments: TextTests.values) func damagedTextIsRefusedOrRead(
    type: String, text: String
  ) throws {
    let schema = try Oracle.everything(type)
    var random = SplitMix(seed: UInt64(text.utf8.count))
    for _ in 0..<200 {
      exerciseText(damaged(Array(text.utf8), &random), schema)
    }
  }

  @Test(arguments: JSONTests.values) func damagedJSONIsRefusedOrRead(
    type: String, text: String
  ) throws {
    let schema = try Oracle.everything(type)
    let message = try MessageReader(flat: try TextTests.message(type, text))
    let json = try JSONCodec().encode(try message.root(as: schema))
    var random = SplitMix(seed: UInt64(json.count))
    for _ in 0..<200 { exerciseJSON(damaged(json, &random), schema) }
  }

  @Test func elementsWithoutSizeArePrintedWithinTheLimits() throws {
    let schema = try Oracle.everything()
    let message = MessageBuilder()
    let root = message.initRoot(as: schema)
    _ = try root.value("voids").initList(count: 1 << 29 - 1)
    let damaged = DynamicError.damaged(.traversalLimitExceeded)
    let reader = try MessageReader(flat: message.flattened())
    #expect(throws: damaged) { try TextCodec().encode(try reader.root(as: schema)) }
    #expect(throws: damaged) { try JSONCodec().encode(try reader.root(as: schema)) }
    // Nothing bounds what a program reads of its own message but the size of the print.
    let error = CodecError.Problem.tooLarge(limit: limits.bytes)
    let text = #expect(throws: CodecError.self) {
      try TextCodec(limits: limits).encode(root.reader)
    }
    #expect(text?.problem == error)
    let json = #expect(throws: CodecError.self) {
      try JSONCodec(limits: limits).encode(root.reader)
    }
    #expect(json?.problem == error)
  }

  @Test(arguments: TextTests.values) func damagedMessagesArePrintedOrRefused(
    type: String, text: String
  ) throws {
    let schema = try Oracle.everything(type)
    let bytes = try TextTests.message(type, text)
    var random = SplitMix(seed: UInt64(bytes.count))
    for _ in 0..<200 {
      var copy = bytes
      for _ in 0...random.next(below: 4) {
        copy[8 + random.next(below: copy.count - 8)] = UInt8(random.next(below: 256))
      }
      exerciseMessage(copy, schema)
    }
  }
}

private let limits = CodecLimits(nestingDepth: 32, words: 1 << 16, bytes: 1 << 18)

/// Reads any bytes as text. For fuzzers too.
func exerciseText(_ bytes: [UInt8], _ schema: StructSchema) {
  let message = MessageBuilder()
  let builder = message.initRoot(as: schema)
  guard (try? TextCodec(limits: limits).decode(bytes, into: builder)) != nil else { return }
  _ = try? TextCodec(limits: limits).encode(builder.reader)
}

/// Reads any bytes as JSON. For fuzzers too.
func exerciseJSON(_ bytes: [UInt8], _ schema: StructSchema) {
  let message = MessageBuilder()
  let builder = message.initRoot(as: schema)
  guard (try? JSONCodec(limits: limits).decode(bytes, into: builder)) != nil else { return }
  _ = try? JSONCodec(limits: limits).encode(builder.reader)
}

/// Prints any bytes as a message. For fuzzers too.
func exerciseMessage(_ bytes: [UInt8], _ schema: StructSchema) {
  guard let reader = try? MessageReader(flat: bytes), let root = try? reader.root(as: schema) else {
    return
  }
  _ = try? TextCodec(limits: limits).encode(root)
  _ = try? JSONCodec(limits: limits).encode(root)
}
