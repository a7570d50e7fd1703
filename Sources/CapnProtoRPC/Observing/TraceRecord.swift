public import CapTP

/// One message of a trace, as it is recorded: a line of JSON, or ``TraceText``.
public struct TraceRecord: Hashable, Sendable {
  /// When it went over the connection, since the trace began.
  public var time: Duration
  /// The connection.
  public var connection: ConnectionNumber
  /// Which way it went.
  public var direction: MessageEvent.Direction
  /// Its length with the frame's head, in bytes.
  public var bytes: Int
  /// What it is about.
  public var message: MessageSummary
  /// How many records are missing before this one, as the reader was too slow.
  public var dropped = 0

  init(_ event: MessageEvent, since start: ContinuousClock.Instant) {
    time = event.time - start
    connection = event.connection
    direction = event.direction
    bytes = event.bytes
    message = event.message
  }
}

extension TraceRecord: Codable {
  private enum CodingKeys: String, CodingKey {
    case nanoseconds, connection, direction, bytes, kind, id, interface, method, target, detail
    case capabilities, failure, reason, dropped
  }

  /// The record in fields that tools of any language can read: the time is a number of nanoseconds,
  /// the interface a text, as its id is too large for some numbers. What there is not is left out.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(nanoseconds, forKey: .nanoseconds)
    try fields.encode(connection, forKey: .connection)
    try fields.encode(direction.rawValue, forKey: .direction)
    try fields.encode(bytes, forKey: .bytes)
    try fields.encode(message.kind.rawValue, forKey: .kind)
    try fields.encodeIfPresent(message.id, forKey: .id)
    try fields.encodeIfPresent(message.interfaceID.map { hexadecimal($0) }, forKey: .interface)
    try fields.encodeIfPresent(message.methodID, forKey: .method)
    try fields.encodeIfPresent(message.target, forKey: .target)
    try fields.encodeIfPresent(message.detail, forKey: .detail)
    if !message.capabilities.isEmpty {
      try fields.encode(message.capabilities, forKey: .capabilities)
    }
    try fields.encodeIfPresent(message.failure.map { "\($0)" }, forKey: .failure)
    try fields.encodeIfPresent(message.reason, forKey: .reason)
    if dropped > 0 { try fields.encode(dropped, forKey: .dropped) }
  }

  /// A record of such fields.
  ///
  /// - Throws: `Swift.DecodingError` where one is missing or makes no sense.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    func known<Name: RawRepresentable>(_ key: CodingKeys) throws -> Name
    where Name.RawValue == String {
      let text = try fields.decode(String.self, forKey: key)
      guard let name = Name(rawValue: text) else {
        throw Swift.DecodingError.dataCorruptedError(
          forKey: key, in: fields, debugDescription: "'\(text)' is not known")
      }
      return name
    }
    time = .nanoseconds(try fields.decode(Int64.self, forKey: .nanoseconds))
    connection = try fields.decode(ConnectionNumber.self, forKey: .connection)
    direction = try known(.direction)
    bytes = try fields.decode(Int.self, forKey: .bytes)
    message = MessageSummary(try known(.kind))
    message.id = try fields.decodeIfPresent(UInt32.self, forKey: .id)
    if let interface = try fields.decodeIfPresent(String.self, forKey: .interface) {
      guard interface.hasPrefix("0x"), let number = UInt64(interface.dropFirst(2), radix: 16) else {
        throw Swift.DecodingError.dataCorruptedError(
          forKey: .interface, in: fields, debugDescription: "'\(interface)' is no interface's id")
      }
      message.interfaceID = number
    }
    message.methodID = try fields.decodeIfPresent(UInt16.self, forKey: .method)
    message.target = try fields.decodeIfPresent(String.self, forKey: .target)
    message.detail = try fields.decodeIfPresent(String.self, forKey: .detail)
    message.capabilities = try fields.decodeIfPresent([String].self, forKey: .capabilities) ?? []
    if let failure = try fields.decodeIfPresent(String.self, forKey: .failure) {
      message.failure = RPCError.Kind.allCases.first { "\($0)" == failure } ?? .failed
    }
    message.reason = try fields.decodeIfPresent(String.self, forKey: .reason)
    dropped = try fields.decodeIfPresent(Int.self, forKey: .dropped) ?? 0
  }

  private var nanoseconds: Int64 {
    let (seconds, attoseconds) = time.components
    return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
  }
}
