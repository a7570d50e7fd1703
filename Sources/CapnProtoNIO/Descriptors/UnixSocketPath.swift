// Safety. Each call of the system borrows an address, a path or a number of this stack frame for its
// own duration, with its real size. Descriptors are closed by the function that opened them, or owned
// by an `OpenDescriptor`.

import CapnProto
import CapnProtoRPC

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A path at which a Unix socket can be.
///
/// A socket's file outlives its server, and a path whose file exists cannot be bound. So a listener
/// claims the path first: it removes the file of a server that is gone, and never that of a live one.
struct UnixSocketPath: Sendable {
  /// The longest path in UTF-8, which every system's `sockaddr_un` holds.
  static let byteLimit = 103

  let path: String

  /// - Throws: `RPCError` of kind `failed` if no socket can be at the path.
  init(_ path: String) throws(RPCError) {
    let count = path.utf8.count
    if count == 0 { throw .failed("the path of the Unix socket is empty") }
    if path.utf8.contains(0) { throw .failed("the path of the Unix socket contains a NUL") }
    if count > Self.byteLimit {
      throw .failed(
        "the path of the Unix socket has \(count) bytes, and the limit is \(Self.byteLimit); "
          + "choose a shorter one")
    }
    self.path = path
  }

  /// What is at a path.
  enum Occupant: Equatable {
    case nothing
    /// The socket of a process that is gone.
    case abandonedSocket
    /// A socket that a process has open; the text names the process where that can be known.
    case liveSocket(holder: String?)
    /// A file that is not a socket.
    case file
    /// A socket that cannot be asked, for the error.
    case unknown(CInt)
  }

  /// Makes sure that a socket can be bound at the path, if necessary by removing an abandoned one.
  ///
  /// - Returns: A lock to be held until the socket is bound. Without it, of two listeners that find
  ///   an abandoned socket the second one could remove what the first one has bound meanwhile. Nil
  ///   if the folder cannot be locked: then nothing has been removed.
  /// - Throws: `RPCError` of kind `failed` that says what is at the path.
  func claim() async throws -> OpenDescriptor? {
    let lock = try await lockedFolder()
    switch occupant {
    case .nothing: break
    case .abandonedSocket:
      guard lock != nil else {
        throw RPCError.failed(
          "a socket of a process that is gone is there; remove it, as its folder cannot be locked "
            + "to do so here")
      }
      guard unsafe unlink(path) == 0 || errno == ENOENT else {
        throw RPCError.failed(
          "a socket of a process that is gone is there, and cannot be removed: "
            + Self.reason(errno))
      }
    case .liveSocket(let holder):
      throw RPCError.failed(
        "\(holder ?? "a process") has a socket there; end it or choose another path")
    case .file:
      throw RPCError.failed("a file is there that is not a socket; choose another path")
    case .unknown(let code):
      throw RPCError.failed(
        "a socket is there, and whether a process has it open cannot be found out: "
          + Self.reason(code))
    }
    return lock
  }

  /// What is at the path now.
  var occupant: Occupant {
    var info = stat()
    guard unsafe lstat(path, &info) == 0 else { return .nothing }
    guard info.st_mode & S_IFMT == S_IFSOCK else { return .file }
    // To a socket of the other type nothing connects, but the error tells whether a process has it
    // open, even if it does not listen yet.
    switch connect(Self.datagrams, then: { _ in }) {
    case 0, EPROTOTYPE: return .liveSocket(holder: holder)
    case ECONNREFUSED: return .abandonedSocket
    case ENOENT: return .nothing
    case let code: return .unknown(code)
    }
  }

  /// The process that listens, as text; nil if that cannot be known.
  private var holder: String? {
    var process: Int32 = 0
    let code = connect(Self.stream) { descriptor in
      #if canImport(Darwin)
        var size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(descriptor, 0, LOCAL_PEERPID, &process, &size)
      #else
        // The process, user and group (`struct ucred`).
        var peer: (Int32, UInt32, UInt32) = (0, 0, 0)
        var size = socklen_t(MemoryLayout<(Int32, UInt32, UInt32)>.size)
        if unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 {
          process = peer.0
        }
      #endif
    }
    return code == 0 && process > 0 ? "the process \(process)" : nil
  }

  /// Connects a socket of the type to the path, without waiting, and closes it again.
  ///
  /// - Returns: 0, or the error.
  private func connect(_ type: CInt, then body: (CInt) -> Void) -> CInt {
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { return errno }
    defer { _ = close(descriptor) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    let flags = fcntl(descriptor, F_GETFL, 0)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) >= 0 else { return errno }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // The limit leaves room for the NUL at the end.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe systemConnect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { return errno }
    body(descriptor)
    return 0
  }

  /// Locks the path's folder; nil if it cannot be locked.
  private func lockedFolder() async throws -> OpenDescriptor? {
    let end = path.lastIndex(of: "/")
    let folder = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    let lock = OpenDescriptor(owning: descriptor)
    let deadline = ContinuousClock.now + Self.longestWait
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK where ContinuousClock.now < deadline:
        // Others hold the lock while they bind.
        try await Task.sleep(for: .milliseconds(2))
      case EWOULDBLOCK:
        throw RPCError.failed(
          "another program holds the lock of the folder \(folder.escapedForDisplay)")
      default: return nil
      }
    }
    return lock
  }

  private static let longestWait = Duration.seconds(2)

  private static func reason(_ code: CInt) -> String { unsafe String(cString: strerror(code)) }

  #if canImport(Darwin)
    private static let stream = SOCK_STREAM
    private static let datagrams = SOCK_DGRAM
  #else
    private static let stream = CInt(SOCK_STREAM.rawValue)
    private static let datagrams = CInt(SOCK_DGRAM.rawValue)
  #endif
}

/// connect(2), which a method of the same name hides.
private func systemConnect(
  _ descriptor: CInt, _ address: UnsafePointer<sockaddr>, _ size: socklen_t
) -> CInt {
  unsafe connect(descriptor, address, size)
}
