// Safety. Looks at the segments of a message through another arena, which borrows their words and
// does not outlive this one.

public import Synchronization

// The traversal limit stops a message that makes its reader do more work than the message is large:
// many pointers to one object. A message that is kept is read again and again, which is no fault of
// its sender's. So when the words of such a message are used up, it is measured: if one pass over
// all that its root leads to is within the limit, the count starts anew, and if not, it is over for
// good. The measuring costs no more than reading has cost until then.

/// Whether the words that may be read of a message are counted anew once they are used up.
@usableFromInline enum TraversalRenewal: UInt8, AtomicRepresentable {
  /// No reference keeps the message, or one pass over it exceeds the limit.
  case never, exceeded
  /// A reference keeps the message, which has not been measured or is within the limit.
  case unmeasured, within
}

extension MessageArena {
  /// Notes that a reference keeps the message. If two tasks do so at once, a message that the first has
  /// measured may be measured again, with what it finds the same: it need not be done as one step.
  func makeRenewable() {
    guard unsafe head.pointee.renewal.load(ordering: .relaxed) == .never else { return }
    unsafe head.pointee.renewal.store(.unmeasured, ordering: .relaxed)
  }

  /// Counts the words that may be read anew if the message is one that may be; else false.
  func renewTraversal() -> Bool {
    switch unsafe head.pointee.renewal.load(ordering: .relaxed) {
    case .never, .exceeded: return false
    case .within: break
    case .unmeasured:
      // Two tasks may both measure: they find the same.
      guard isWithinTraversalLimit else {
        unsafe head.pointee.renewal.store(.exceeded, ordering: .relaxed)
        return false
      }
      unsafe head.pointee.renewal.store(.within, ordering: .relaxed)
    }
    unsafe head.pointee.traversalWords.store(
      head.pointee.traversalLimit, ordering: .relaxed)
    return true
  }

  private var isWithinTraversalLimit: Bool {
    let limits = ReaderLimits(
      traversalWords: unsafe head.pointee.traversalLimit, nestingDepth: .max)
    func words(_ index: Int) -> UnsafeRawBufferPointer {
      let segment = unsafe head.pointee.segments[index]
      return unsafe UnsafeRawBufferPointer(
        start: segment.pointee.start, count: segment.pointee.used * 8)
    }
    let probe = unsafe MessageArena.borrowing(
      first: words(0), segments: segmentCount, limits: limits)
    for index in 1..<max(1, segmentCount) { unsafe probe.addBorrowed(words(index)) }
    return withExtendedLifetime(probe) {
      guard let root = probe.root(nesting: .max) else { return false }
      return (try? AnyPointerReader(raw: root).totalSize()) != nil
    }
  }
}
