public import CapnProto

/// The way from the content of results to a capability in them: pointer fields, by index
/// (`PromisedAnswer.Op` in rpc.capnp).
public struct PipelinePath: Hashable, Sendable {
  /// Short paths, as most are, take no memory of their own and are copied without a count. A path has one
  /// form, so that equal ones are found.
  private enum Fields: Hashable {
    /// At most three: the first one in the lowest 16 bits, and their number in the highest.
    case packed(UInt64)
    case array([UInt16])
  }
  private var content = Fields.packed(0)

  private static var packedCount: Int { 3 }

  /// The path to the content itself.
  public init() {}

  /// The path by these fields; none leads to the content itself.
  public init(_ fields: [UInt16]) {
    if fields.count > Self.packedCount {
      content = .array(fields)
    } else {
      for field in fields { append(field) }
    }
  }

  init(_ ops: ListReader<PromisedAnswer.Op.Reader>) throws {
    // Structs nest no deeper in any message that can be read.
    guard ops.count <= Int(ReaderLimits.standard.nestingDepth) else {
      throw ProtocolViolation("a pipeline path has \(ops.count) steps")
    }
    for index in ops.indices {
      switch try ops[index].which {
      case .noop: continue
      case .getPointerField(let field): append(field)
      case .unknown(let number): throw ProtocolViolation("unknown pipeline operation \(number)")
      }
    }
  }

  /// Indices into the pointer sections of the structs on the way.
  public var fields: [UInt16] {
    switch content {
    case .packed: (0..<count).map { self[$0] }
    case .array(let fields): fields
    }
  }

  private var count: Int {
    switch content {
    case .packed(let bits): Int(bits >> 48)
    case .array(let fields): fields.count
    }
  }

  private subscript(index: Int) -> UInt16 {
    switch content {
    case .packed(let bits): UInt16(truncatingIfNeeded: bits >> UInt64(index * 16))
    case .array(let fields): fields[index]
    }
  }

  /// Goes on to the field of the struct at the end of the path.
  public mutating func append(_ field: UInt16) {
    switch content {
    case .packed(let bits) where count < Self.packedCount:
      content = .packed((bits | UInt64(field) << UInt64(count * 16)) + 1 << 48)
    case .packed: content = .array(fields + [field])
    case .array(var fields):
      content = .packed(0)
      fields.append(field)
      content = .array(fields)
    }
  }

  func write(to answer: PromisedAnswer.Builder) {
    let ops = answer.initTransform(count)
    for index in 0..<count { ops[index].getPointerField = self[index] }
  }

  /// The capability at the end of the path, or nil where there is none.
  ///
  /// - Throws: `DecodingError` if the content is invalid.
  public func capability(
    in content: AnyPointerReader
  ) throws(DecodingError) -> (any CapabilityHook)? {
    try capability(in: content, from: 0)
  }

  private func capability(
    in content: AnyPointerReader, from index: Int
  ) throws(DecodingError) -> (any CapabilityHook)? {
    guard !content.isNull else { return nil }
    guard index < count else { return try content.capability() }
    return try capability(in: content.structure().pointer(Int(self[index])), from: index + 1)
  }
}
