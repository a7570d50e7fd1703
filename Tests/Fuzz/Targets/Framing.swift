import CapnProto

extension FuzzTarget {
  /// What a stream of messages is cut into.
  private struct Decoded: Equatable {
    var messages: [[UInt8]] = []
    /// Whether the stream ends where a message does; nil where it broke the rules before.
    var isBetweenMessages: Bool?
  }

  /// Hands out the bytes in chunks, whose sizes the seed chooses; none is empty but by its choice.
  private func chunks(
    _ bytes: [UInt8], _ seed: UInt8, _ body: ([UInt8]) throws(FramingError) -> Void
  ) throws(FramingError) {
    var state = UInt32(seed)
    var start = 0
    while start < bytes.count {
      state = state &* 1_664_525 &+ 1_013_904_223
      // Mostly small, sometimes larger than a pointer's reach of the fast paths.
      let size = Int(state >> 24) % (state >> 16 & 3 == 0 ? 200 : 11)
      let end = min(bytes.count, start + size)
      try body(Array(bytes[start..<end]))
      start = end
    }
  }

  private func framed(_ bytes: [UInt8], _ seed: UInt8?) -> Decoded {
    var decoder = FrameDecoder(frameLimits: frameLimits, limits: limits)
    var decoded = Decoded()
    func take(_ chunk: [UInt8], _ decoder: inout FrameDecoder) throws(FramingError) {
      var offset = 0
      while let message = try unsafe decoder.next(chunk.span.bytes, &offset) {
        decoded.messages.append(message.flattened())
      }
      require(offset == chunk.count, "a decoder takes all of a chunk")
    }
    do throws(FramingError) {
      if let seed {
        try chunks(bytes, seed) { (chunk) throws(FramingError) in try take(chunk, &decoder) }
      } else {
        try take(bytes, &decoder)
      }
      decoded.isBetweenMessages = decoder.isBetweenMessages
    } catch {}
    return decoded
  }

  func decode(_ input: [UInt8]) {
    guard let seed = input.first else { return }
    let bytes = Array(input.dropFirst())
    let whole = framed(bytes, nil)
    require(framed(bytes, seed) == whole, "frames are the same in chunks")
    require(
      readMessage(bytes)?.flattened() == whole.messages.first, "a frame is the first of a stream")
    for frame in whole.messages {
      require(readMessage(frame)?.flattened() == frame, "a frame is read as it was written")
    }
  }

  private func unpacked(_ bytes: [UInt8], _ seed: UInt8?) -> Decoded {
    var decoder = PackedFrameDecoder(frameLimits: frameLimits, limits: limits)
    var decoded = Decoded()
    func take(_ chunk: [UInt8], _ decoder: inout PackedFrameDecoder) throws(FramingError) {
      var offset = 0
      while let message = try unsafe decoder.next(chunk.span.bytes, &offset) {
        decoded.messages.append(message.flattened())
      }
      require(offset == chunk.count, "a decoder takes all of a chunk")
    }
    do throws(FramingError) {
      if let seed {
        try chunks(bytes, seed) { (chunk) throws(FramingError) in try take(chunk, &decoder) }
      } else {
        try take(bytes, &decoder)
      }
      decoded.isBetweenMessages = decoder.isBetweenMessages
    } catch {}
    return decoded
  }

  func unpack(_ input: [UInt8]) {
    guard let seed = input.first else { return }
    let bytes = Array(input.dropFirst())
    let whole = unpacked(bytes, nil)
    require(unpacked(bytes, seed) == whole, "packed messages are the same in chunks")
    let message = try? MessageReader(packed: bytes, frameLimits: frameLimits, limits: limits)
    require(
      message?.flattened() == whole.messages.first, "a packed message is the first of a stream")
    guard let message else { return }
    let again = try? MessageReader(
      packed: message.packed(), frameLimits: frameLimits, limits: limits)
    require(again?.flattened() == message.flattened(), "what is packed is unpacked")
  }
}
