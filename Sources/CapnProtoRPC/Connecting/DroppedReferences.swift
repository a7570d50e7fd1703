import CapTP
import Synchronization

/// References that are not held any more and that the engine has not been told of.
struct DroppedReferences: ~Copyable, Sendable {
  /// One of them, and the descriptor that it came with.
  struct Reference: Sendable {
    let node: NodeID
    let descriptor: OpenDescriptor?
  }
  // Not private, which the compiler (6.3.1) cannot do for a struct that another file holds in place.
  struct State {
    var references: [Reference] = []
    /// Whether a turn has been asked for that has not begun.
    var isScheduled = false
  }
  private let state = Mutex(State())
  /// Whether there are any, at hand without the lock: that is asked with each call. Who adds one on
  /// another thread meanwhile has asked for a turn.
  private let hasAny = Atomic(false)

  var isEmpty: Bool { !hasAny.load(ordering: .relaxed) }

  /// Adds a reference.
  ///
  /// - Returns: whether a turn has to be asked for in which the engine is told, at the latest.
  func add(_ reference: Reference) -> Bool {
    state.withLock { state in
      state.references.append(reference)
      hasAny.store(true, ordering: .relaxed)
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
  }

  /// The turn that was asked for begins: what is added from now on needs another one.
  func turnBegins() { state.withLock { $0.isScheduled = false } }

  /// Those that the engine is to be told of now.
  func take() -> [Reference] {
    guard !isEmpty else { return [] }
    return state.withLock { state in
      hasAny.store(false, ordering: .relaxed)
      defer { state.references = [] }
      return state.references
    }
  }
}
