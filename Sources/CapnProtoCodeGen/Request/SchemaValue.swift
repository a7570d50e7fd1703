import CapnProto
import CapnProtoSchema

/// The value of a constant, or the default of a field.
enum SchemaValue: Equatable {
  case void
  case bool(Bool)
  case signed(Int64)
  case unsigned(UInt64)
  case float32(Float)
  case float64(Double)
  case text(String)
  case data([UInt8])
  case enumerant(UInt16)
  /// A struct, list or AnyPointer as a message of one segment; no words where the pointer is null.
  case pointer([UInt64])

  init(_ value: Value.Reader) throws {
    switch try value.which {
    case .void, .interface: self = .void
    case .bool(let value): self = .bool(value)
    case .int8(let value): self = .signed(Int64(value))
    case .int16(let value): self = .signed(Int64(value))
    case .int32(let value): self = .signed(Int64(value))
    case .int64(let value): self = .signed(value)
    case .uint8(let value): self = .unsigned(UInt64(value))
    case .uint16(let value): self = .unsigned(UInt64(value))
    case .uint32(let value): self = .unsigned(UInt64(value))
    case .uint64(let value): self = .unsigned(value)
    case .float32(let value): self = .float32(value)
    case .float64(let value): self = .float64(value)
    case .text(let text): self = .text(text.string)
    case .data(let data): self = .data(data.array)
    case .enum(let number): self = .enumerant(number)
    case .list(let pointer), .struct(let pointer), .anyPointer(let pointer):
      self = .pointer(try Self.words(pointer))
    case .unknown: self = .void
    }
  }

  /// Whether all bits are zero, as they are where a message does not have the field.
  var isZero: Bool {
    switch self {
    case .void: true
    case .bool(let value): !value
    case .signed(let value): value == 0
    case .unsigned(let value): value == 0
    case .float32(let value): value.bitPattern == 0
    case .float64(let value): value.bitPattern == 0
    case .text(let text): text.isEmpty
    case .data(let bytes): bytes.isEmpty
    case .enumerant(let number): number == 0
    case .pointer(let words): words.isEmpty
    }
  }

  /// The words of a message of one segment whose root is the value; none for values in the data
  /// section.
  func words() throws -> [UInt64] {
    switch self {
    case .text(let text):
      let message = MessageBuilder(firstSegmentWords: text.utf8.count / 8 + 2)
      message.root.setText(text)
      return Self.segmentWords(message.flattened())
    case .data(let bytes):
      let message = MessageBuilder(firstSegmentWords: bytes.count / 8 + 2)
      message.root.setData(bytes)
      return Self.segmentWords(message.flattened())
    case .pointer(let words): return words
    default: return []
    }
  }

  private static func words(_ pointer: AnyPointerReader) throws -> [UInt64] {
    if pointer.isNull { return [] }
    var capacity = 64
    while true {
      let message = MessageBuilder(firstSegmentWords: capacity)
      try message.root.set(pointer)
      let frame = message.flattened()
      // The first four bytes of a frame count its segments, less one.
      if frame.prefix(4).allSatisfy({ $0 == 0 }) { return segmentWords(frame) }
      capacity *= 4
    }
  }

  /// The words of a frame of one segment, without the frame's head.
  private static func segmentWords(_ frame: [UInt8]) -> [UInt64] {
    stride(from: 8, to: frame.count, by: 8).map { start in
      (0..<8).reduce(UInt64(0)) { $0 | UInt64(frame[start + $1]) << UInt64($1 * 8) }
    }
  }
}
