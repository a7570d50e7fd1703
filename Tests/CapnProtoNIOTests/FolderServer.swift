import CapnProto
import CapnProtoRPC
import Glibc
import Synchronization

/// A file that is its text, and can be called for it.
final class FileServer: File.Server {
  private let text: String
  init(_ text: String) { self.text = text }

  func read(_ call: ReadCall) async throws { call.reply { $0.text = text } }

  /// A file with a descriptor from which the text can be read.
  static func described(_ text: String) throws -> File.Client {
    File.Client(.server(FileServer(text)), attaching: try Pipe.holding(text))
  }
}

final class FolderServer: Folder.Server {
  /// Files that `open` does not make anew.
  private let shared: File.Client?
  init(_ shared: File.Client? = nil) { self.shared = shared }

  func open(_ call: OpenCall) async throws {
    let file = try shared ?? FileServer.described(call.params.text.string)
    call.reply { $0.file = file }
  }

  func later(_ call: LaterCall) async throws {
    let file = try FileServer.described(call.params.text.string)
    let (promise, resolver) = Capability.promise()
    call.reply { $0.file = promise.cast() }
    Task { resolver.resolve(Capability(file)) }
  }

  func sum(_ call: SumCall) async throws {
    var texts: [String] = []
    let files = try call.params.files.map { $0 }
    for file in files { texts.append(try await file.described() ?? "none") }
    call.reply {
      let list = $0.initTexts(texts.count)
      for (index, text) in texts.enumerated() { list[index] = text }
    }
  }
}

extension File.Client {
  /// What its descriptor gives to read; nil if it has none.
  func described() async throws -> String? {
    try await Capability(self).attachedDescriptor().map { Pipe.read($0) }
  }
}

/// Pipes, whose ends are descriptors. Processes that other tests start do not inherit them, as an end is
/// not closed while another process has it.
enum Pipe {
  struct Failure: Error { let code: CInt }

  /// The end to read and the end to write.
  static func open() throws -> (reader: OpenDescriptor, writer: OpenDescriptor) {
    var ends: [CInt] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw Failure(code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (OpenDescriptor(owning: ends[0]), OpenDescriptor(owning: ends[1]))
  }

  /// A descriptor that gives the text to read, once.
  static func holding(_ text: String) throws -> OpenDescriptor {
    let (reader, writer) = try open()
    let bytes = Array(text.utf8)
    let written = unsafe write(writer.rawValue, bytes, bytes.count)
    guard written == bytes.count else { throw Failure(code: errno) }
    return reader
  }

  /// What is there to read.
  static func read(_ descriptor: OpenDescriptor) -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe Glibc.read(descriptor.rawValue, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  /// Whether nobody can read from the other end any more.
  static func isAbandoned(_ writer: OpenDescriptor) -> Bool {
    var entry = pollfd(fd: writer.rawValue, events: CShort(POLLOUT), revents: 0)
    return unsafe poll(&entry, 1, 0) == 1 && entry.revents & CShort(POLLERR) != 0
  }

  /// Two sockets that are connected to each other.
  static func sockets() throws -> (OpenDescriptor, OpenDescriptor) {
    var ends: [CInt] = [-1, -1]
    let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Failure(code: errno) }
    return (OpenDescriptor(owning: ends[0]), OpenDescriptor(owning: ends[1]))
  }
}
