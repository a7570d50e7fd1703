import CapnProto

private protocol StreamDecoder: ~Copyable {
  var isBetweenMessages: Bool { get }
  mutating func next(_ chunk: RawSpan, _ offset: inout Int) throws(FramingError) -> MessageReader?
}

extension FrameDecoder: StreamDecoder {}
extension PackedFrameDecoder: StreamDecoder {}

extension FuzzTarget {
  /// What a stream of messages is cut into.
  private struct Decoded: Equatable {
    var messages: [[UInt8]] = []
    /// Whether the stream ends where a message does; nil where it broke the rules before.
    var isBetweenMessages: Bool?
  }

  /// The bytes in chunks of sizes that the seed chooses.
  private func chunks(_ bytes: [UInt8], _ seed: UInt8) -> [[UInt8]] {
    var state = UInt32(seed)
    var start = 0
    var chunks: [[UInt8]] = []
    while start < bytes.count {
      state = state &* 1_664_525 &+ 1_013_904_223
      // Mostly small, sometimes so large that words are unpacked at once.
      let size = Int(state >> 24) % (state >> 16 & 3 == 0 ? 200 : 11)
      let end = min(bytes.count, start + size)
      chunks.append(Array(bytes[start..<end]))
      start = end
    }
    return chunks
  }

  /// What the decoder makes of the bytes: in chunks of the seed's choice, or of all of them at once.
  private func decoded(
    _ bytes: [UInt8], _ seed: UInt8?, by decoder: consuming some StreamDecoder & ~Copyable
  ) -> Decoded {
    var decoded = Decoded()
    do throws(FramingError) {
      for chunk in seed.map({ chunks(bytes, $0) }) ?? [bytes] {
        var offset = 0
        while let message = try unsafe decoder.next(chunk.span.bytes, &offset) {
          decoded.messages.append(message.flattened())
        }
        require(offset == chunk.count, "a decoder takes all of a chunk")
      }
      decoded.isBetweenMessages = decoder.isBetweenMessages
    } catch {}
    return decoded
  }

  private func framed(_ bytes: [UInt8], _ seed: UInt8?) -> Decoded {
    decoded(bytes, seed, by: FrameDecoder(frameLimits: frameLimits, limits: limits))
  }

  private func unpacked(_ bytes: [UInt8], _ seed: UInt8?) -> Decoded {
    decoded(bytes, seed, by: PackedFrameDecoder(frameLimits: frameLimits, limits: limits))
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
