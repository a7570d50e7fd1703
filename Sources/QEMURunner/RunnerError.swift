/// Why a guest could not be built, started or kept, in words that say what to do about it.
public enum RunnerError: Error, Equatable, CustomStringConvertible {
  /// A program is not on `PATH`.
  case toolMissing(String)
  /// A file that an earlier step makes is not there.
  case fileMissing(String, hint: String)
  /// The file is not a kernel image that can be unpacked.
  case unusableKernel(String, reason: String)
  /// The kernel package has no such module.
  case moduleMissing(String)
  /// The port that was asked for is taken.
  case portInUse(UInt16)
  /// The system gave no free port.
  case noFreePort(reason: String)
  /// A program could not be started.
  case cannotStart(String, reason: String)
  /// A program that does part of the work failed.
  case toolFailed(String, status: Int32)
  /// QEMU ended before the guest was listening.
  case guestEnded(status: Int32, serialTail: [String])
  /// The guest was not listening in time.
  case guestNotListening(seconds: Int, serialTail: [String])
  /// Output could not be written.
  case cannotWrite(String, reason: String)
  /// A file is too large for the archive that becomes the guest's root directory.
  case fileTooLarge(String, bytes: Int)
  /// A signal arrived while the guest was booting.
  case interrupted(signal: Int32)

  public var description: String {
    switch self {
    case .toolMissing(let name):
      "there is no program \(name); 'make setup' installs what the guest needs"
    case .fileMissing(let path, let hint):
      "\(path) is missing; \(hint)"
    case .unusableKernel(let path, let reason):
      "\(path) is not a kernel image that can be unpacked: \(reason)"
    case .moduleMissing(let name):
      "the kernel package has no module \(name); remove build/kernel and run 'make setup'"
    case .portInUse(let port):
      "port \(port) is in use: end the program that listens there, choose another port with "
        + "--port (make: PORT=...), or set none to have a free one chosen"
    case .noFreePort(let reason):
      "no free port on 127.0.0.1: \(reason)"
    case .cannotStart(let program, let reason):
      "cannot start \(program): \(reason)"
    case .toolFailed(let program, let status):
      "\(program) failed with status \(status)"
    case .guestEnded(let status, let tail):
      "QEMU ended with status \(status) before the guest was listening" + Self.show(tail)
    case .guestNotListening(let seconds, let tail):
      "the guest was not listening after \(seconds) s; a slow or busy machine may need a longer "
        + "--boot-timeout" + Self.show(tail)
    case .cannotWrite(let name, let reason):
      "cannot write to \(name): \(reason)"
    case .fileTooLarge(let name, let bytes):
      "\(name) has \(bytes) bytes, and a file of a cpio archive has at most \(UInt32.max)"
    case .interrupted(let signal):
      "interrupted by signal \(signal)"
    }
  }

  private static func show(_ serialTail: [String]) -> String {
    if serialTail.isEmpty { return "; the serial console is empty" }
    return "; the serial console's end:\n" + serialTail.map { "  | \($0)" }.joined(separator: "\n")
  }
}
