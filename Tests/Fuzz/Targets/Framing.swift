import CapnProto

extension FuzzTarget {
  /// The bytes in chunks, whose sizes the bytes themselves choose.
  private func chunks(_ bytes: [UInt8], _ body: ([UInt8]) throws -> Void) rethrows {
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + 1 + Int(bytes[start] % 13))
      try body(Array(bytes[start..<end]))
      start = end
    }
  }

  func decode(_ bytes: [UInt8]) {
    var decoder = FrameDecoder(frameLimits: frameLimits, limits: limits)
    var first: [UInt8]?
    var failed = false
    do {
      try chunks(bytes) { chunk in
        var offset = 0
        while let message = try unsafe decoder.next(chunk.span.bytes, &offset) {
          first = first ?? message.flattened()
        }
        require(offset == chunk.count, "a decoder takes all of a chunk")
      }
    } catch { failed = true }
    let whole = message(bytes)?.flattened()
    require(whole == first, "a frame is the same in chunks")
    if let whole {
      require(bytes.starts(with: whole) || whole.count % 8 == 0, "a frame is made of its bytes")
      require(message(whole)?.flattened() == whole, "a frame is read as it was written")
    } else {
      require(failed || !bytes.isEmpty || decoder.isBetweenMessages, "nothing is between messages")
    }
  }

  func unpack(_ bytes: [UInt8]) {
    var decoder = PackedFrameDecoder(frameLimits: frameLimits, limits: limits)
    var first: [UInt8]?
    _ = try? chunks(bytes) { chunk in
      var offset = 0
      while let message = try unsafe decoder.next(chunk.span.bytes, &offset) {
        first = first ?? message.flattened()
      }
      require(offset == chunk.count, "a decoder takes all of a chunk")
    }
    guard let message = try? unpacked(bytes) else {
      require(first == nil, "a packed message is the same in chunks")
      return
    }
    let flat = message.flattened()
    require(first == flat, "a packed message is the same in chunks")
    let again = try? unpacked(message.packed()).flattened()
    require(again == flat, "what is packed is unpacked")
  }

  private func unpacked(_ bytes: [UInt8]) throws(FramingError) -> MessageReader {
    try MessageReader(packed: bytes, frameLimits: frameLimits, limits: limits)
  }
}
