// Safety. Hands whole arrays to the packer, which has room for the worst case, and to the unpacker,
// which keeps within the buffer that it is given.

/// Words that have no frame, packed (encoding specification, "Packing").
package enum PackedWords {
  /// The words, packed; bytes past the last whole word are left out.
  package static func pack(_ words: [UInt8]) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: words.count / 8 * mostPackedBytes) {
      (buffer, initializedCount) in
      guard let start = buffer.baseAddress else { return }
      unsafe words.withUnsafeBytes {
        unsafe initializedCount = CapnProto.pack($0, to: UnsafeMutableRawPointer(start))
      }
    }
  }

  /// The words of packed bytes, which say how many they are only by their end.
  ///
  /// - Throws: ``FramingError`` if the bytes end inside a word, or unpack to more words than the limit.
  package static func unpack(_ bytes: [UInt8], limit: Int) throws(FramingError) -> [UInt8] {
    var unpacker = Unpacker()
    var words: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1024 * 8)
    var offset = 0
    while true {
      var filled = 0
      unsafe bytes.withUnsafeBytes { input in
        unsafe piece.withUnsafeMutableBytes { output in
          unsafe unpacker.unpack(input, &offset, into: output, &filled)
        }
      }
      words += piece[..<filled]
      guard words.count / 8 <= limit else {
        throw .tooLarge(words: words.count / 8, limit: limit)
      }
      if filled < piece.count { break }
    }
    guard unpacker.isBetweenWords else {
      throw .truncated(bytes: bytes.count, needed: bytes.count + 1)
    }
    return words
  }
}
