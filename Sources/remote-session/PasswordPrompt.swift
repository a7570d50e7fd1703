// Safety. The settings of the terminal, sets of signals and buffers are values of the stack frame that
// a call of the system borrows for its own duration, with their real sizes.

import Synchronization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Asks for a password on the terminal, without echo.
///
/// Signals do what they do elsewhere: Ctrl-C ends the program, Ctrl-Z stops it, and the prompt comes
/// again when it continues. Whatever ends or stops the program, the terminal has its echo again.
///
/// A handler may do next to nothing, so it writes the signal's number to a pipe. The thread that waits
/// for the password reads it there, restores the terminal, and sends the signal to itself.
enum PasswordPrompt {
  /// What the terminal cannot be asked for.
  struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ attempt: String, _ code: CInt) {
      description = "\(attempt): \(unsafe String(cString: strerror(code)))"
    }
  }

  private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]
  /// The end of the pipe that the handler writes to; -1 while there is none.
  private static let pipeEnd = Atomic<CInt>(-1)
  /// A terminal's line is no longer (`MAX_CANON`).
  private static let lineLimit = 4096

  /// Shows the prompt and reads a line.
  ///
  /// - Returns: The line without its end; nil if the input ends before it.
  /// - Throws: ``Failure`` if the terminal cannot be used.
  static func read(_ prompt: String) throws -> String? {
    let opened = unsafe open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    let terminal = opened >= 0 ? opened : STDIN_FILENO
    defer { if opened >= 0 { _ = close(opened) } }
    var ends: (CInt, CInt) = (-1, -1)
    let made = unsafe withUnsafeMutableBytes(of: &ends) {
      unsafe pipe($0.baseAddress?.assumingMemoryBound(to: CInt.self))
    }
    guard made == 0 else { throw Failure("make a pipe", errno) }
    defer {
      _ = close(ends.0)
      _ = close(ends.1)
    }
    // Threads of tasks block every signal.
    let blocked = setMask(SIG_SETMASK, [])
    defer { restoreMask(blocked) }
    while true {
      pipeEnd.store(ends.1, ordering: .sequentiallyConsistent)
      switch try ask(prompt, on: terminal, signals: ends.0) {
      case .line(let bytes): return String(decoding: bytes, as: UTF8.self)
      case .end: return nil
      case .signal(let number): _ = raise(number)
      }
    }
  }

  private enum Outcome {
    case line([UInt8])
    case end
    case signal(CInt)
  }

  /// Asks once. Before it returns, the terminal and the signals are as they were.
  private static func ask(
    _ prompt: String, on terminal: CInt, signals pipe: CInt
  ) throws -> Outcome {
    var settings = termios()
    guard unsafe tcgetattr(terminal, &settings) == 0 else {
      throw Failure("read the terminal's settings", errno)
    }
    let handlers = signals.map { ($0, handle($0)) }
    defer { for (number, handler) in handlers { _ = signal(number, handler) } }
    var silent = settings
    silent.c_lflag &= ~tcflag_t(ECHO)
    silent.c_lflag |= tcflag_t(ECHONL)
    guard unsafe tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else {
      throw Failure("switch the terminal's echo off", errno)
    }
    // Not flushed: what is typed behind the password is for the program that comes next.
    defer { _ = unsafe tcsetattr(terminal, TCSADRAIN, &settings) }
    try write(prompt, to: terminal)
    var line: [UInt8] = []
    while true {
      var entries = [
        pollfd(fd: pipe, events: Int16(POLLIN), revents: 0),
        pollfd(fd: terminal, events: Int16(POLLIN), revents: 0),
      ]
      if unsafe poll(&entries, nfds_t(entries.count), -1) < 0 {
        if errno == EINTR { continue }
        throw Failure("wait for the terminal", errno)
      }
      if entries[0].revents != 0, let number = byte(from: pipe) {
        // The shell's prompt comes next.
        try? write("\n", to: terminal)
        return .signal(CInt(number))
      }
      guard entries[1].revents != 0 else { continue }
      guard let next = byte(from: terminal) else { return line.isEmpty ? .end : .line(line) }
      if next == UInt8(ascii: "\n") { return .line(line) }
      if line.count < lineLimit { line.append(next) }
    }
  }

  /// One byte; nil at the end of the input, or if it cannot be read.
  private static func byte(from descriptor: CInt) -> UInt8? {
    var byte: UInt8 = 0
    while true {
      #if canImport(Darwin)
        let count = unsafe Darwin.read(descriptor, &byte, 1)
      #else
        let count = unsafe Glibc.read(descriptor, &byte, 1)
      #endif
      if count == 1 { return byte }
      guard count < 0, errno == EINTR else { return nil }
    }
  }

  private static func write(_ text: String, to descriptor: CInt) throws {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { bytes in
        #if canImport(Darwin)
          unsafe Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #else
          unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
      }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        throw Failure("write to the terminal", errno)
      }
    }
  }

  private typealias Handler = @convention(c) (CInt) -> Void

  /// Has the signal written to the pipe, unless it is ignored.
  ///
  /// - Returns: The handler before; nil for the system's own.
  private static func handle(_ number: CInt) -> Handler? {
    let before = signal(number) { PasswordPrompt.note($0) }
    // As nohup does it (`SIG_IGN`).
    if let before, unsafe unsafeBitCast(before, to: Int.self) == 1 { _ = signal(number, before) }
    return before
  }

  private static func note(_ number: CInt) {
    let code = errno
    var byte = UInt8(truncatingIfNeeded: number)
    #if canImport(Darwin)
      _ = unsafe Darwin.write(pipeEnd.load(ordering: .sequentiallyConsistent), &byte, 1)
    #else
      _ = unsafe Glibc.write(pipeEnd.load(ordering: .sequentiallyConsistent), &byte, 1)
    #endif
    errno = code
  }

  private static func setMask(_ how: CInt, _ signals: [CInt]) -> sigset_t {
    var set = sigset_t()
    _ = unsafe sigemptyset(&set)
    for number in signals { _ = unsafe sigaddset(&set, number) }
    var before = sigset_t()
    _ = unsafe pthread_sigmask(how, &set, &before)
    return before
  }

  private static func restoreMask(_ mask: sigset_t) {
    var mask = mask
    _ = unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
  }
}
