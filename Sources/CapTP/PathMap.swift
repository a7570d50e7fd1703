/// What is kept for paths in the results of one call. Mostly there is one path, which takes no memory of
/// its own.
///
/// Its code is inlined: without that, other modules would look up the types of its fields each time.
@frozen @usableFromInline
package struct PathMap<Value> {
  @usableFromInline var first: (path: PipelinePath, value: Value)?
  @usableFromInline var others: [PipelinePath: Value]?

  /// Nothing is kept.
  @inlinable package init() {}

  /// Whether nothing is kept.
  @inlinable package var isEmpty: Bool { first == nil && others?.isEmpty ?? true }

  /// Paths for which something is kept.
  @inlinable package var count: Int { (first == nil ? 0 : 1) + (others?.count ?? 0) }

  /// What is kept for the path.
  @inlinable package subscript(path: PipelinePath) -> Value? {
    get {
      if let first, first.path == path { return first.value }
      return others?[path]
    }
    set {
      if first.map({ $0.path == path }) ?? (others?[path] == nil) {
        first = newValue.map { (path, $0) }
      } else if others != nil {
        others?[path] = newValue
      } else if let newValue {
        others = [path: newValue]
      }
    }
  }
}

extension PathMap: Sequence {
  /// Goes through what is kept, in no order.
  @frozen @usableFromInline
  package struct Iterator: IteratorProtocol {
    @usableFromInline var first: (path: PipelinePath, value: Value)?
    @usableFromInline var others: Dictionary<PipelinePath, Value>.Iterator?

    @inlinable
    init(
      _ first: (path: PipelinePath, value: Value)?,
      _ others: Dictionary<PipelinePath, Value>.Iterator?
    ) {
      self.first = first
      self.others = others
    }

    @inlinable package mutating func next() -> (path: PipelinePath, value: Value)? {
      if let first = first.take() { return first }
      return others?.next().map { ($0.key, $0.value) }
    }
  }

  @inlinable package func makeIterator() -> Iterator { Iterator(first, others?.makeIterator()) }
}

extension PathMap: Sendable where Value: Sendable {}
