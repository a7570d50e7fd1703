// Safety. The bytes of a buffer are read or copied in the closure that is given them, and no byte
// past its count.

import GRPCCore

/// A number, as its 8 bytes, the lowest first.
struct NumberCoding: MessageSerializer, MessageDeserializer {
  func serialize<Bytes: GRPCContiguousBytes>(_ number: UInt64) -> Bytes {
    unsafe withUnsafeBytes(of: number.littleEndian) { unsafe Bytes($0) }
  }

  func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> UInt64 {
    guard bytes.count == MemoryLayout<UInt64>.size else {
      throw RPCError(code: .invalidArgument, message: "\(bytes.count) bytes are no number")
    }
    return unsafe bytes.withUnsafeBytes {
      unsafe UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
    }
  }
}

/// Bytes, as they are.
struct BytesCoding: MessageSerializer, MessageDeserializer {
  func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) -> Bytes { Bytes(message) }

  func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) -> [UInt8] {
    unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
  }
}
