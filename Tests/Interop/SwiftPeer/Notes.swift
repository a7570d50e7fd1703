// Notes, whose descriptors are the ends of pipes that hold their texts.
//
// The buffers of the system's calls are sound, as they are arrays that outlive each call.

import CapnProto
import CapnProtoRPC
import Glibc

final class NoteObject: Note.Server {
  private let life: Life
  private let content: String

  private init(_ census: Census, _ content: String) {
    life = Life(census)
    self.content = content
  }

  /// A note of the text, with a descriptor unless that is empty.
  static func make(_ census: Census, _ text: String) throws -> Note.Client {
    let note = Note.Client.server(NoteObject(census, text))
    return text.isEmpty ? note : Note.Client(note, attaching: try pipe(holding: text))
  }

  func text(_ call: TextCall) async throws { call.reply { $0.text = content } }

  private static func pipe(holding text: String) throws -> OpenDescriptor {
    var ends: [CInt] = [-1, -1]
    guard unsafe Glibc.pipe(&ends) == 0 else { throw RPCError.failed("no pipe: \(errno)") }
    let (reader, writer) = (OpenDescriptor(owning: ends[0]), OpenDescriptor(owning: ends[1]))
    let bytes = Array(text.utf8)
    guard unsafe write(writer.rawValue, bytes, bytes.count) == bytes.count else {
      throw RPCError.failed("the pipe took too little")
    }
    return reader
  }
}

extension Note.Client {
  /// What its descriptor gives to read; empty if it has none.
  func described() async throws -> String {
    guard let descriptor = try await Capability(self).attachedDescriptor() else { return "" }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe read(descriptor.rawValue, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
