import CapnProto
import Testing

// Messages written word by word, as no builder would write them.
//
// `#expect(view.property)` captures the view, which must not escape: hence `== true` in the tests.

/// A word that describes a struct.
func structure(_ offset: Int, data: UInt16, pointers: UInt16) -> UInt64 {
  UInt64(UInt32(truncatingIfNeeded: offset << 2)) | UInt64(data) << 32 | UInt64(pointers) << 48
}

/// A word that describes a list; the count is that of words where elements are structs.
func list(_ offset: Int, _ size: ElementSize, _ count: UInt64) -> UInt64 {
  UInt64(UInt32(truncatingIfNeeded: offset << 2)) | 1 | UInt64(size.rawValue) << 32 | count << 35
}

/// The tag of a list of structs.
func tag(count: Int, data: UInt16, pointers: UInt16) -> UInt64 {
  structure(count, data: data, pointers: pointers)
}

func far(_ segment: UInt32, _ offset: UInt32, double: Bool = false) -> UInt64 {
  UInt64(segment) << 32 | UInt64(offset << 3) | (double ? 6 : 2)
}

func capability(_ index: UInt32) -> UInt64 { UInt64(index) << 32 | 3 }

/// Eight characters as a word.
func characters(_ text: StaticString) -> UInt64 {
  var word: UInt64 = 0
  for (index, byte) in text.description.utf8.enumerated() {
    word |= UInt64(byte) << UInt64(8 * index)
  }
  return word
}

/// The frame of the segments.
func frame(_ segments: [[UInt64]]) -> [UInt8] {
  var bytes: [UInt8] = []
  func append32(_ number: Int) {
    for shift in stride(from: 0, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }
  append32(segments.count - 1)
  for segment in segments { append32(segment.count) }
  if segments.count % 2 == 0 { append32(0) }
  for word in segments.joined() {
    append32(Int(UInt32(truncatingIfNeeded: word)))
    append32(Int(word >> 32))
  }
  return bytes
}

/// Calls the body with the root pointer of a message of the segments.
func reading<Value>(
  _ segments: [UInt64]..., limits: ReaderLimits = .standard,
  _ body: (AnyPointerReader) throws -> Value
) throws -> Value {
  let message = try MessageReader(flat: frame(segments), limits: limits)
  return try body(message.root)
}

/// What reading the root pointer of a message of the segments throws.
func errorReading(
  _ segments: [UInt64]..., limits: ReaderLimits = .standard,
  _ body: (AnyPointerReader) throws -> Void
) -> DecodingError? {
  do {
    let message = try MessageReader(flat: frame(segments), limits: limits)
    try body(message.root)
    return nil
  } catch let error as DecodingError {
    return error
  } catch {
    Issue.record("\(error)")
    return nil
  }
}

/// The words of each segment of a message being built.
func words(of message: borrowing MessageBuilder) -> [[UInt64]] {
  var segments: [[UInt64]] = []
  message.segments { bytes in
    var words: [UInt64] = []
    for index in 0..<bytes.byteCount / 8 {
      var word: UInt64 = 0
      for byte in 0..<8 {
        word |= UInt64(bytes.byte(index * 8 + byte)) << UInt64(8 * byte)
      }
      words.append(word)
    }
    segments.append(words)
  }
  return segments
}

extension [UInt8] {
  /// The bytes as messages are read from.
  var rawSpan: RawSpan { @_lifetime(borrow self) get { unsafe span.bytes } }
}

extension RawSpan {
  /// The byte at the offset.
  func byte(_ offset: Int) -> UInt8 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self)
  }
}

/// A message in which every object that has nothing to do with the root's segment goes elsewhere.
func tinyMessage() -> MessageBuilder { MessageBuilder(firstSegmentWords: 1) }

/// An object that stands for a capability.
final class Hook: CapabilityHook {
  let name: String
  init(_ name: String) { self.name = name }
}

func name(_ hook: (any CapabilityHook)?) -> String? { (hook as? Hook)?.name }
