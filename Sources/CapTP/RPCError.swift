package import CapnProto

/// Why a call failed, as it travels between vats (`Exception` in rpc.capnp).
public struct RPCError: Error, Hashable, Sendable {
  /// What the caller may do about it (`Exception.Type` in rpc.capnp).
  public enum Kind: UInt16, Hashable, Sendable, CaseIterable {
    /// The call failed for a reason of its own; a retry would fail as well.
    case failed = 0
    /// The callee lacks a resource for now; a later retry may succeed.
    case overloaded = 1
    /// A connection that the call needed is gone; a new one may work.
    case disconnected = 2
    /// The callee does not have the method.
    case unimplemented = 3
  }

  /// What the caller may do about it.
  public var kind: Kind
  /// The reason in words, for people. A peer's is as the peer sent it: show it as
  /// `escapedForDisplay`, or show the error's description.
  public var reason: String
  /// Where it arose in the callee, if the callee tells.
  public var trace: String?
  /// What programs can read of the error. It travels with the error, to peers that know of it.
  public var details: [Detail]

  /// Something that programs can read of an error.
  public struct Detail: Hashable, Sendable {
    /// Says what the bytes are: unique as the id of a type of a schema is.
    public var id: UInt64
    /// The content.
    public var bytes: [UInt8]

    /// A detail of the kind.
    public init(id: UInt64, bytes: [UInt8] = []) {
      self.id = id
      self.bytes = bytes
    }
  }

  /// An error of the kind.
  public init(_ kind: Kind, _ reason: String, trace: String? = nil, details: [Detail] = []) {
    self.kind = kind
    self.reason = reason
    self.trace = trace
    self.details = details
  }

  /// A call that failed for a reason of its own.
  public static func failed(_ reason: String) -> RPCError { RPCError(.failed, reason) }
  /// A callee that lacks a resource for now.
  public static func overloaded(_ reason: String) -> RPCError { RPCError(.overloaded, reason) }
  /// A connection that is gone.
  public static func disconnected(_ reason: String) -> RPCError {
    RPCError(.disconnected, reason)
  }
  /// A method that the callee does not have.
  public static func unimplemented(_ reason: String) -> RPCError {
    RPCError(.unimplemented, reason)
  }
}

extension RPCError {
  private static var timeoutID: UInt64 { 0xb7c1_5e0d_92f4_a863 }

  /// A call that took longer than its caller gave it. It is `overloaded`, as rpc.capnp says.
  ///
  /// - Parameters:
  ///   - timeout: the time that it was given.
  ///   - reason: the reason as text; nil for one that names the time.
  /// - Returns: the error, which ``isTimeout``.
  public static func timedOut(after timeout: Duration, _ reason: String? = nil) -> RPCError {
    RPCError(
      .overloaded, reason ?? "the call has not ended within \(timeout)",
      details: [Detail(id: timeoutID)])
  }

  /// Whether the call, or one that it needed, took longer than its caller gave it.
  public var isTimeout: Bool { details.contains { $0.id == Self.timeoutID } }
}

extension RPCError: CustomStringConvertible {
  /// The error in words, on one line: characters of the reason that could act on a terminal are
  /// escaped.
  public var description: String { "\(kind): \(reason.escapedForDisplay)" }
}

extension RPCError {
  /// The error that a peer sent.
  package init(_ exception: Exception.Reader) throws(DecodingError) {
    // An unknown kind is treated as `failed`, as rpc.capnp asks for.
    kind = Kind(rawValue: exception.type.rawValue) ?? .failed
    reason = try exception.reason.string
    let trace = try exception.trace
    self.trace = trace.isEmpty ? nil : trace.string
    // The field is no part of the installed rpc.capnp: what else a peer may have there is no error.
    details = (try? Self.details(in: DetailedException.Reader(_raw: exception._raw))) ?? []
  }

  private static func details(
    in exception: DetailedException.Reader
  ) throws(DecodingError) -> [Detail] {
    let sent = try exception.details
    var details: [Detail] = []
    for index in sent.indices.prefix(detailLimit) {
      details.append(Detail(id: sent[index].detailId, bytes: try sent[index].data.array))
    }
    return details
  }

  /// Details of one error that are taken from a peer; it hardly needs more.
  private static var detailLimit: Int { 16 }

  /// What a connection ends with that the peer aborts with this error: `disconnected`, unless the peer
  /// says that what it was asked for is not to be had here (`unimplemented`), and so not next time.
  package var kindOfAbort: Kind { kind == .unimplemented ? .failed : .disconnected }

  func write(to place: PointerField<Exception.Builder>) {
    let exception = place.initPointer().initStructure(as: DetailedException.Builder.self)
    exception.type = kind.rawValue
    exception.reason = reason
    if let trace { exception.trace = trace }
    guard !details.isEmpty else { return }
    let list = exception.initDetails(details.count)
    for (index, detail) in details.enumerated() {
      list[index].detailId = detail.id
      list[index].data = detail.bytes
    }
  }
}

/// A rule of the protocol that the peer broke: the connection is aborted with it.
struct ProtocolViolation: Error {
  let rule: String
  init(_ rule: String) { self.rule = rule }
}
