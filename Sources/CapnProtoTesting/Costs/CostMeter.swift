import Synchronization

/// The memory that a run takes beyond what it had at its start.
final class CostMeter: Sendable {
  private let allocatedBytes: @Sendable () -> Int
  private let state = Mutex((start: 0, most: 0))

  init(_ allocatedBytes: @escaping @Sendable () -> Int) { self.allocatedBytes = allocatedBytes }

  /// Starts measuring.
  func begin() {
    let bytes = allocatedBytes()
    state.withLock { $0 = (bytes, bytes) }
  }

  /// Looks at how much is allocated.
  func sample() {
    let bytes = allocatedBytes()
    state.withLock { $0.most = max($0.most, bytes) }
  }

  /// The largest number of bytes that a sample found.
  var most: Int { state.withLock { $0.most - $0.start } }
}
