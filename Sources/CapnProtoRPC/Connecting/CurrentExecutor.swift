// Safety. What the current task is, and where it prefers to run, is asked only while it runs here:
// that keeps the executor for as long, and from then on it is a strong reference.

/// Where the current task runs if it prefers to run where a connection does its work; nil for any
/// other, and outside of tasks.
func currentConnectionExecutor() -> (any ConnectionExecutor)? {
  guard #available(macOS 26.4, iOS 26.4, watchOS 26.4, tvOS 26.4, visionOS 26.4, *) else {
    return nil
  }
  let executor = unsafe withUnsafeCurrentTask { unsafe $0?.unownedTaskExecutor?.asTaskExecutor() }
  return executor as? any ConnectionExecutor
}
