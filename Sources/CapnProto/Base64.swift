/// Bytes in the letters of RFC 4648, section 4.
package enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let pad = UInt8(ascii: "=")

  /// The letters of the bytes, padded.
  package static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for byte in group { bits = bits << 8 | UInt32(byte) }
      bits <<= UInt32(8 * (3 - group.count))
      for index in 0..<4 {
        text.append(
          index <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)] : pad)
      }
    }
    return text
  }

  /// The bytes; nil where the text is none of Base64. Blanks are skipped, and padding may be missing.
  package static func decode(_ text: [UInt8]) -> [UInt8]? {
    var (bits, count): (UInt32, Int) = (0, 0)
    var isPadded = false
    var bytes: [UInt8] = []
    for byte in text where !(byte == 0x20 || (0x09...0x0d).contains(byte)) {
      if byte == pad {
        isPadded = true
        continue
      }
      guard !isPadded, let value = value(byte) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 1
      // Each digit after the first of a group of four ends a byte.
      if count % 4 != 1 {
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32((4 - count % 4) % 4 * 2)))
      }
    }
    return count % 4 == 1 ? nil : bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
