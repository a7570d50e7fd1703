#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

// Safety. Each socket call borrows a local address for its own duration, with its real size.

/// Which port of 127.0.0.1 leads to the guest.
///
/// `unsafe` is sound here: a `sockaddr_in` on the stack is lent to a socket call, with its real
/// size, for the duration of that call.
public enum HostPort: Equatable, Sendable {
  /// This port if it is free, any other otherwise.
  case preferred(UInt16)
  /// This port or none: the user named it.
  case exactly(UInt16)

  /// The port that is chosen unless the user names one.
  public static let usual = HostPort.preferred(2327)

  /// Picks the port.
  ///
  /// - Returns: A port that was free a moment ago.
  /// - Throws: `RunnerError.portInUse`, or `RunnerError.noFreePort`.
  public func choose() throws(RunnerError) -> UInt16 {
    switch self {
    case .exactly(let port):
      guard (try? Self.reserve(port)) != nil else { throw .portInUse(port) }
      return port
    case .preferred(let port):
      if let port = try? Self.reserve(port) { return port }
      return try Self.reserve(0)
    }
  }

  /// Binds the port, or any if it is 0, and lets go of it again.
  private static func reserve(_ port: UInt16) throws(RunnerError) -> UInt16 {
    #if canImport(Darwin)
      let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #else
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    guard descriptor >= 0 else { throw .noFreePort(reason: reason()) }
    defer { _ = close(descriptor) }
    // As QEMU does: a port whose last connection has just ended is free.
    var enabled: Int32 = 1
    _ = unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_REUSEADDR, &enabled, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        guard unsafe bind(descriptor, generic, size) == 0 else { return false }
        return unsafe getsockname(descriptor, generic, &size) == 0
      }
    }
    guard result else { throw .noFreePort(reason: reason()) }
    return UInt16(bigEndian: address.sin_port)
  }

  private static func reason() -> String { unsafe String(cString: strerror(errno)) }
}
