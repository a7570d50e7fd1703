import Synchronization

/// Bounds how deep the end of one call, or of one promise, lies within that of another.
///
/// A call that ends resolves the promises that were pipelined on it; their waiting calls go on, may end
/// at once, and resolve promises in turn. The same holds for tail calls, for cancelling, and for what is
/// released with a call. An application or a peer decides how long such a chain is. So what would lie
/// deeper than the limit is done after the outermost one, by a loop.
struct NestedCompletion: Sendable {
  /// What is done after the outermost completion; `nil` once that has ended.
  private final class Deferred: Sendable {
    private let work = Mutex<[@Sendable () -> Void]?>([])

    /// Adds work.
    ///
    /// - Returns: Whether it will be done: tasks that were made within a completion may outlive it.
    func add(_ body: @escaping @Sendable () -> Void) -> Bool {
      work.withLock { work in
        guard work != nil else { return false }
        work?.append(body)
        return true
      }
    }

    /// Returns the work that was added; `nil` if there is none, and none will be done from then on.
    func take() -> [@Sendable () -> Void]? {
      work.withLock { work in
        guard let added = work, !added.isEmpty else {
          work = nil
          return nil
        }
        work = []
        return added
      }
    }
  }

  /// How deep completions may lie within one another.
  private static let limit = 16
  private static let current = TaskLocal<NestedCompletion?>(wrappedValue: nil)

  private let depth: Int
  private let deferred: Deferred

  /// Runs what ends a call or a promise: now, or after the outermost completion that is under way.
  static func run(_ body: @escaping @Sendable () -> Void) {
    if let current = current.get() {
      if current.depth < limit {
        let next = NestedCompletion(depth: current.depth + 1, deferred: current.deferred)
        self.current.withValue(next, operation: body)
        return
      }
      if current.deferred.add(body) { return }
    }
    let deferred = Deferred()
    self.current.withValue(NestedCompletion(depth: 1, deferred: deferred)) {
      body()
      while let work = deferred.take() { for body in work { body() } }
    }
  }
}
