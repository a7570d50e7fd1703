// Safety. Looks at a segment's bytes for the length of a call; nothing is kept of them.

import CapTP
import CapnProto

/// What observers send along with a call: bytes in a last segment of its message that no pointer
/// leads to.
///
/// A message may have such words (encoding specification, "Messages"): an implementation that does
/// not know of them never sees them, in whatever version of rpc.capnp it speaks. The segment is the
/// mark, the count of bytes, and the bytes, up to whole words.
enum CallBaggage {
  /// What may be sent, in bytes: what is longer is not.
  static let limit = 4096

  /// The message with the bytes.
  static func attach(_ bytes: [UInt8], to message: SharedMessage) -> SharedMessage {
    guard !bytes.isEmpty, bytes.count <= limit else { return message }
    var segment: [UInt8] = []
    for word in [CallBaggageMark.word, UInt64(bytes.count)] {
      segment += (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    segment += bytes
    segment += [UInt8](repeating: 0, count: (8 - segment.count % 8) % 8)
    return (try? message.appending(segment: segment)) ?? message
  }

  /// The bytes that came with the message, if some did.
  static func read(_ message: borrowing MessageReader) -> [UInt8]? {
    guard message.segmentCount > 1 else { return nil }
    var last = message.segmentCount
    var found: [UInt8]?
    message.segments { segment in
      last -= 1
      guard last == 0, segment.byteCount >= 16, word(0, of: segment) == CallBaggageMark.word else {
        return
      }
      let count = word(1, of: segment)
      guard count <= limit, Int(count) <= segment.byteCount - 16 else { return }
      found = unsafe segment.extracting(16..<16 + Int(count)).withUnsafeBytes { unsafe [UInt8]($0) }
    }
    return found
  }

  private static func word(_ index: Int, of segment: RawSpan) -> UInt64 {
    unsafe UInt64(
      littleEndian: segment.unsafeLoadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
  }
}
