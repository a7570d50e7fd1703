import Glibc
import Synchronization

/// Signals that this process takes as events: each is kept until it is waited for.
///
/// A handler catches them. To block them would not be enough: the main thread of a program whose
/// `main` is asynchronous waits in `sigsuspend` with no signal blocked, whatever else the program
/// does. A blocked signal would come to that thread and end the process, or be discarded for PID 1.
///
/// A handler may do next to nothing, so it writes the signal's number to a pipe. The process has one
/// pipe, and so one set of signals.
///
/// `unsafe` is sound here: each call borrows a number or the two descriptors of a pipe, which are
/// plain values, for its own duration and with their real size.
struct SignalSet: Sendable {
  /// The ends of the pipe; -1 while there is none.
  private static let readEnd = Atomic<Int32>(-1)
  private static let writeEnd = Atomic<Int32>(-1)
  private let signals: [Int32]

  init(_ signals: [Int32]) { self.signals = signals }

  /// Keeps the signals from doing what they do by default.
  ///
  /// Where the system has no pipe for them they are left as they are, and `wait()` returns nil.
  func block() {
    guard Self.openPipe() else { return }
    for number in signals { _ = signal(number) { SignalSet.note($0) } }
  }

  /// Waits for one of the signals and returns it; nil if they were not blocked.
  func wait() -> Int32? {
    let descriptor = Self.readEnd.load(ordering: .acquiring)
    var number: UInt8 = 0
    while true {
      let count = unsafe read(descriptor, &number, 1)
      if count == 1 { return Int32(number) }
      guard count < 0, errno == EINTR else { return nil }
    }
  }

  /// Opens the pipe, before any handler looks at its ends.
  private static func openPipe() -> Bool {
    if writeEnd.load(ordering: .acquiring) >= 0 { return true }
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return false }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // A handler must not wait. A pipe that is full holds thousands of signals that nobody has read.
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    readEnd.store(ends[0], ordering: .releasing)
    writeEnd.store(ends[1], ordering: .releasing)
    return true
  }

  private static func note(_ number: Int32) {
    let code = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = unsafe write(writeEnd.load(ordering: .acquiring), &byte, 1)
    errno = code
  }
}
