import Synchronization

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

// Safety. Signal sets are plain values, which each call borrows for its own duration.

/// The request to stop that a signal makes: Ctrl-C, a closed terminal, or `kill`.
///
/// The handler only sets atomic values, which is all that a handler may do; whoever waits looks
/// at them. A handler, unlike an ignored signal, is not inherited by the programs started here.
public enum Interruption {
  private static let last = Atomic<Int32>(0)
  private static let count = Atomic<Int>(0)

  /// From now on a signal is noted and does not end the process.
  public static func watch() {
    // The first use initialises a global; the handler must not be the one to do it.
    _ = signal
    _ = isRepeated
    for number in [SIGINT, SIGTERM, SIGHUP] { handle(number) { Interruption.note($0) } }
  }

  /// The last signal that asked for a stop.
  public static var signal: Int32? {
    let value = last.load(ordering: .relaxed)
    return value == 0 ? nil : value
  }

  /// Whether a second signal came: whoever sends it does not want to wait any longer.
  public static var isRepeated: Bool { count.load(ordering: .relaxed) > 1 }

  /// Makes a write to a process that is gone fail, where it would end this process.
  static let surviveBrokenPipes: Void = handle(SIGPIPE) { _ in }

  /// Unblocks every signal for this thread. A thread made by a task starts with all of them
  /// blocked, and so would a child that this thread starts: nothing but SIGKILL could end it.
  ///
  /// `unsafe` is sound here: the set is a plain value that the calls borrow.
  static func unblockSignals() {
    var none = sigset_t()
    _ = unsafe sigemptyset(&none)
    _ = unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
  }

  private static func note(_ number: Int32) {
    last.store(number, ordering: .relaxed)
    count.add(1, ordering: .relaxed)
  }

  private static func handle(_ number: Int32, _ handler: @convention(c) @escaping (Int32) -> Void) {
    #if canImport(Darwin)
      _ = Darwin.signal(number, handler)
    #else
      _ = Glibc.signal(number, handler)
    #endif
  }
}
