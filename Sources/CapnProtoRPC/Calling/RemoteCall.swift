import CapTP
public import CapnProto

/// A call that has been made: its results are on their way.
///
/// The call was sent when this was made. Dropping it, and what was pipelined on it, before the
/// results are there takes the call back (`Finish` in rpc.capnp).
public struct RemoteCall<
  Results: TypedStructReader & ~Escapable, Pipeline: PipelineView
>: Sendable {
  @usableFromInline let token: CallToken

  @inlinable init(_ call: UntypedRemoteCall) { token = call.token }

  /// This call, which is given so long from now on. If it has not ended by then it is taken back
  /// (`Finish` in rpc.capnp), so that the object can stop, and fails with an error that
  /// `RPCError.isTimeout`; so does what was pipelined on it.
  ///
  /// It replaces the time that the reference or the connection gives
  /// (``Capability/init(_:callTimeout:)``, `ConnectionLimits.callTimeout`).
  public func within(_ timeout: Duration) -> Self {
    token.call.setTimeout(timeout)
    return self
  }

  /// The results, once they are there.
  ///
  /// - Throws: `RPCError` if the call failed; `CancellationError` if the awaiting task is
  ///   cancelled, which takes the call back.
  @inlinable @inline(__always)
  nonisolated(nonsending) public func results() async throws -> Ref<Results> {
    let message = try await token.outcome()
    do {
      return try message.results.structure(as: Results.self).retained()
    } catch {
      throw RPCError(results: error)
    }
  }

  /// What the body makes of the results, once they are there: `call.results { $0.value }`.
  ///
  /// - Throws: as ``results()``, and what the body throws.
  @inlinable @inline(__always)
  nonisolated(nonsending) public func results<Value>(
    _ body: (Results) throws -> Value
  ) async throws -> Value {
    let message = try await token.outcome()
    let results: Results
    do {
      results = try message.results.structure()
    } catch {
      throw RPCError(results: error)
    }
    return try body(results)
  }

  /// Does not compile: the result is a view of the message, which cannot leave the closure.
  @available(*, deprecated, message: "return a copy: text.string, data.array, reader.retained()")
  @inlinable
  nonisolated(nonsending) public func results<View: MessageView & ~Escapable>(
    _ body: (Results) throws -> View
  ) async throws {
    _ = try await results().read { (reader: Results) in _ = try body(reader) }
  }

  /// Waits for the call to end, for calls whose results say nothing.
  ///
  /// - Throws: as ``results()``.
  @inlinable @inline(__always)
  nonisolated(nonsending) public func finished() async throws { _ = try await token.outcome() }

  /// Capabilities in the results, to be called before the results are there: such calls go out at
  /// once and take no further round trip.
  public var pipeline: Pipeline {
    Pipeline(_pipeline: PipelineReference(token: token, path: PipelinePath()))
  }
}

extension SharedMessage {
  /// The content of a `Return`'s results.
  @usableFromInline var results: AnyPointerReader {
    @_lifetime(borrow self) get throws(DecodingError) { try reader.`return`.results.content }
  }
}

extension RPCError {
  /// What is wrong with results, which the peer may have made.
  @usableFromInline init(results error: DecodingError) {
    self = .failed("the results are invalid: \(error)")
  }
}

/// A place in the results of a call that may still be out.
public struct PipelineReference: Sendable {
  let token: CallToken
  var path: PipelinePath

  /// The pointer at the index of the struct at this place.
  public func pointer(_ index: UInt16) -> PipelineReference {
    var next = self
    next.path.append(index)
    return next
  }

  /// The capability at this place.
  public var capability: Capability {
    Capability(token.call.pipelined(path, keeping: token))
  }
}

/// A generated view of the capabilities in results that may still be out.
public protocol PipelineView: Sendable {
  /// A view of the struct at the place.
  init(_pipeline: PipelineReference)
}

/// The view of results that hold no capability.
public struct NoPipeline: PipelineView {
  /// Ignores the place.
  public init(_pipeline: PipelineReference) {}
}
