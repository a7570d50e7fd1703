public import CapTP
public import CapnProto

/// A Swift error that a server throws and the caller gets with its type.
///
/// It crosses as an `RPCError` that has the kind, the reason, and the payload as a detail. A caller
/// asks for it with `RPCError.typed(as:)`; to one that does not know the type, or whose
/// implementation of Cap'n Proto does not know of details, it is its kind and reason.
///
/// For conditions that a caller is expected to handle, a union in the results is the better choice:
/// it is part of the schema. Capabilities cannot be in a payload.
public protocol TypedRPCError: Error {
  /// A struct of a schema. Its id tells the error from others: one struct for each error.
  associatedtype Payload: StructType, DescribedType
  /// What the caller may do about it; `failed` unless said otherwise.
  var rpcErrorKind: RPCError.Kind { get }
  /// The reason in words, for people.
  var rpcErrorReason: String { get }
  /// Fills in what the caller gets.
  func write(to payload: Payload.Builder)
  /// The error that the payload says.
  init(_ payload: Payload.Reader) throws(DecodingError)
}

extension TypedRPCError {
  /// `failed`.
  public var rpcErrorKind: RPCError.Kind { .failed }
}

extension RPCError {
  /// The error as it crosses to a caller.
  public init<Failure: TypedRPCError>(_ error: Failure) {
    let payload = MessageBuilder()
    payload.build(Failure.Payload.Builder.self) { error.write(to: $0) }
    self.init(
      error.rpcErrorKind, error.rpcErrorReason,
      details: [Detail(id: Failure.Payload._typeID, bytes: payload.flattened())])
  }

  /// The error that the server threw, if it is of the type.
  ///
  /// - Throws: `DecodingError` if the payload is invalid.
  public func typed<Failure: TypedRPCError>(as: Failure.Type = Failure.self) throws -> Failure? {
    guard let detail = details.first(where: { $0.id == Failure.Payload._typeID }) else {
      return nil
    }
    let message = try MessageReader(flat: detail.bytes)
    return try Failure(message.root(as: Failure.Payload.Reader.self))
  }
}
