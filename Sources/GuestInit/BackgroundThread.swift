import Glibc

/// A detached thread for a loop that blocks in the kernel for the life of the process.
///
/// `unsafe` is sound here: the closure's box is retained when the thread is made and released
/// exactly once, by the thread itself or, if there is no thread, right away.
enum BackgroundThread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  static func start(_ run: @escaping @Sendable () -> Void) throws(SystemCallError) {
    let body = unsafe Unmanaged.passRetained(Body(run))
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument {
          unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        }
        return nil
      },
      body.toOpaque())
    guard result == 0 else {
      unsafe body.release()
      throw SystemCallError("start a thread", code: result)
    }
    _ = pthread_detach(thread)
  }
}
