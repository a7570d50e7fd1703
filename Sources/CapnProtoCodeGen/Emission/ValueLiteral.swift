import CapnProto
import CapnProtoSchema

extension SchemaValue {
  /// Whether a message without the field says the same.
  var isZero: Bool {
    switch kind {
    case .text: text?.isEmpty ?? true
    case .data: data?.isEmpty ?? true
    case .list, .structure, .anyPointer: target == nil
    default: bits == 0
    }
  }

  /// The value in Swift; structs and lists have no literal.
  var literal: String {
    switch kind {
    case .void, .list, .structure, .interface, .anyPointer: "VoidValue()"
    case .bool: bits == 0 ? "false" : "true"
    case .signed: "\(Int64(bitPattern: bits))"
    case .unsigned, .enumerant: "\(bits)"
    case .float32: Literal.float(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .float64: Literal.double(Double(bitPattern: bits))
    case .text: Literal.string(text ?? "")
    case .data: Literal.bytes(data ?? [])
    }
  }

  /// The words of a message of one segment whose root is what the value points to; none where that
  /// is nothing.
  func words() throws -> [UInt64] {
    guard let target else { return [] }
    var capacity = try target.reader.pointer.totalSize().words + 1
    while true {
      let message = MessageBuilder(firstSegmentWords: capacity)
      try message.root.set(target.reader.pointer)
      let frame = message.flattened()
      // The first four bytes of a frame count its segments, less one.
      if frame.prefix(4).allSatisfy({ $0 == 0 }) { return Self.segmentWords(frame) }
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
