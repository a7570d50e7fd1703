import CGuest
import Glibc

// The one place of this module that hands pointers to the kernel. Each call borrows a Swift string
// or array for its own duration only, with the length that the array really has, and no pointer is
// kept: hence the `unsafe` marks here are sound, and no other file of the module needs one except
// `BackgroundThread.swift` and `SignalSet.swift`, which say so themselves.

/// A system call that failed: what was attempted, and the kernel's reason.
public struct SystemCallError: Error, Equatable, CustomStringConvertible {
  /// What was attempted, in words.
  public let operation: String
  /// The `errno` value.
  public let code: Int32

  /// Describes a failed attempt.
  public init(_ operation: String, code: Int32) {
    self.operation = operation
    self.code = code
  }

  public var description: String {
    "\(operation): \(unsafe String(cString: strerror(code))) (errno \(code))"
  }
}

enum SystemCall {
  /// Turns the shim's convention, 0 or a negated errno, into a thrown error.
  private static func check(
    _ result: Int32, _ operation: @autoclosure () -> String
  ) throws(SystemCallError) {
    if result < 0 { throw SystemCallError(operation(), code: -result) }
  }

  static func mount(
    _ type: String, at path: String, flags: UInt, options: String?
  ) throws(SystemCallError) {
    if unsafe mkdir(path, 0o755) != 0, errno != EEXIST {
      throw SystemCallError("create \(path)", code: errno)
    }
    let result =
      if let options {
        unsafe options.withCString { unsafe Glibc.mount(type, path, type, flags, $0) }
      } else {
        unsafe Glibc.mount(type, path, type, flags, nil)
      }
    // The kernel may have mounted devtmpfs by itself; that is what was wanted.
    if result != 0, errno != EBUSY {
      throw SystemCallError("mount \(type) at \(path)", code: errno)
    }
  }

  static func loadModule(at path: String) throws(SystemCallError) {
    let descriptor = try openForReading(path)
    defer { _ = close(descriptor) }
    let result = cguest_load_module(descriptor)
    if result == -EEXIST { return }
    try check(result, "load kernel module \(path)")
  }

  static func bringUp(
    interface: String, address: UInt32, mask: UInt32
  ) throws(SystemCallError) {
    try check(
      unsafe cguest_interface_up(interface, address.bigEndian, mask.bigEndian),
      "bring up network interface \(interface)")
  }

  static func addDefaultRoute(via gateway: UInt32) throws(SystemCallError) {
    try check(cguest_default_route(gateway.bigEndian), "add the default route")
  }

  /// Flushes file systems and powers off; returns only by throwing.
  static func powerOff() throws(SystemCallError) {
    try check(cguest_power_off(), "power off")
  }

  static func openForReading(_ path: String) throws(SystemCallError) -> Int32 {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw SystemCallError("open \(path)", code: errno) }
    return descriptor
  }

  /// Reads at most `limit` bytes; an empty array is the end of the input.
  static func read(_ descriptor: Int32, upTo limit: Int) throws(SystemCallError) -> [UInt8] {
    var code: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      var result = -1
      repeat {
        result = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      } while result < 0 && errno == EINTR
      if result < 0 { code = errno }
      count = max(result, 0)
    }
    if code != 0 { throw SystemCallError("read descriptor \(descriptor)", code: code) }
    return bytes
  }

  /// Writes all of the bytes, waiting where the descriptor takes none now.
  static func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemCallError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
      }
      if written > 0 {
        rest = rest.dropFirst(written)
        continue
      }
      switch errno {
      case _ where written == 0: throw SystemCallError("write descriptor \(descriptor)", code: EIO)
      case EINTR: continue
      case EAGAIN:
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&entry, 1, -1)
      case let code: throw SystemCallError("write descriptor \(descriptor)", code: code)
      }
    }
  }

  /// Time since the kernel started, in seconds.
  static func uptime() -> Double {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// What a look for ended children found.
  enum Reaped: Equatable {
    case child(pid: Int32, status: Int32)
    case noneEnded
    case noChildren
  }

  /// Takes one child that has ended, if there is one; does not wait.
  static func reap() -> Reaped {
    var status: Int32 = 0
    let pid = unsafe waitpid(-1, &status, WNOHANG)
    if pid > 0 { return .child(pid: pid, status: status) }
    return pid == 0 ? .noneEnded : .noChildren
  }
}
