public import CapnProto

/// The way from the content of results to a capability in them: pointer fields, by index
/// (`PromisedAnswer.Op` in rpc.capnp).
public struct PipelinePath: Hashable, Sendable {
  /// Indices into the pointer sections of the structs on the way.
  public var fields: [UInt16]

  /// The path by these fields; none leads to the content itself.
  public init(_ fields: [UInt16] = []) { self.fields = fields }

  init(_ ops: ListReader<PromisedAnswer.Op.Reader>) throws {
    // Structs nest no deeper in any message that can be read.
    guard ops.count <= Int(ReaderLimits.standard.nestingDepth) else {
      throw ProtocolViolation("a pipeline path has \(ops.count) steps")
    }
    fields = []
    for index in ops.indices {
      switch try ops[index].which {
      case .noop: continue
      case .getPointerField(let field): fields.append(field)
      case .unknown(let number): throw ProtocolViolation("unknown pipeline operation \(number)")
      }
    }
  }

  func write(to answer: PromisedAnswer.Builder) {
    let ops = answer.initTransform(fields.count)
    for (index, field) in fields.enumerated() { ops[index].getPointerField = field }
  }

  /// The capability at the end of the path, or nil where there is none.
  ///
  /// - Throws: `DecodingError` if the content is invalid.
  public func capability(
    in content: AnyPointerReader
  ) throws(DecodingError) -> (any CapabilityHook)? {
    try Self.capability(in: content, fields[...])
  }

  private static func capability(
    in content: AnyPointerReader, _ fields: ArraySlice<UInt16>
  ) throws(DecodingError) -> (any CapabilityHook)? {
    guard !content.isNull else { return nil }
    guard let field = fields.first else { return try content.capability() }
    return try capability(
      in: content.structure().pointer(Int(field)), fields.dropFirst())
  }
}
