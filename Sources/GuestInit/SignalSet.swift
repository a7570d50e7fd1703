import Glibc

/// A set of signals that one thread waits for.
///
/// `unsafe` is sound here: `sigset_t` is a plain value, and each call borrows it for its duration.
struct SignalSet: Sendable {
  private var set = sigset_t()

  init(_ signals: [Int32]) {
    _ = unsafe sigemptyset(&set)
    for signal in signals { _ = unsafe sigaddset(&set, signal) }
  }

  /// Blocks the signals for this thread and for every thread that it starts from now on.
  func block() {
    var copy = set
    _ = unsafe pthread_sigmask(SIG_BLOCK, &copy, nil)
  }

  /// Waits for one of the signals, which must be blocked, and returns it.
  func wait() -> Int32? {
    var copy = set
    var signal: Int32 = 0
    return unsafe sigwait(&copy, &signal) == 0 ? signal : nil
  }
}
