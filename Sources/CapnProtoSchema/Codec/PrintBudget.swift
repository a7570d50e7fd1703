/// What may still be written of a message.
struct PrintBudget {
  private let limits: CodecLimits
  private var depth = 0
  private var bytes = 0

  init(limits: CodecLimits) { self.limits = limits }

  /// Goes into a struct or list; ``leave()`` goes out again.
  mutating func enter() throws(CodecError) {
    depth += 1
    guard depth <= limits.nestingDepth else {
      throw CodecError(nil, .nestedTooDeep(limit: limits.nestingDepth))
    }
  }

  mutating func leave() { depth -= 1 }

  /// For what is about to be written.
  mutating func take(bytes count: Int) throws(CodecError) {
    bytes += count
    guard bytes <= limits.bytes else { throw CodecError(nil, .tooLarge(limit: limits.bytes)) }
  }
}
