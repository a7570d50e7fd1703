import Foundation
import Synchronization

/// Runs work whose recursion is as deep as the messages that it works on.
enum DeepStack {
  /// Calls the body on a thread whose stack has room for values nested as deep, and waits for it.
  ///
  /// - Throws: what the body throws.
  static func run(depth: Int, _ body: @escaping @Sendable () throws -> Void) throws {
    let outcome = Mutex<Result<Void, any Error>>(.success(()))
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      let result = Result { try body() }
      outcome.withLock { $0 = result }
      done.signal()
    }
    thread.stackSize = reserve + depth * bytesPerLevel
    thread.start()
    done.wait()
    try outcome.withLock { $0 }.get()
  }

  /// For what does not depend on the depth.
  private static let reserve = 4 << 20
  /// More than a level takes in any direction, in a build for debugging. The system gives memory
  /// to the pages that are used.
  private static let bytesPerLevel = 32 << 10
}
