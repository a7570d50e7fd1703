/// Puts records of a trace into words, with the calls that returns belong to.
public struct TraceText: Sendable {
  private struct Call {
    let method: String
    let time: Duration
  }
  private let names: InterfaceNames
  private var calls = OpenCalls<Call>()

  /// Words that call methods by these names.
  public init(names: InterfaceNames = InterfaceNames()) { self.names = names }

  /// What a record's message belongs to.
  public struct Context: Hashable, Sendable {
    /// The method that is called, or was: nil if the message has to do with none that is known.
    public var method: String?
    /// How long the call took until its return; nil for any other message.
    public var latency: Duration?
    /// Calls that had no return when their connection ended; nil for a message.
    public var unanswered: Int?
  }

  /// Takes the next record, and finds what it belongs to.
  public mutating func context(of record: TraceRecord) -> Context {
    switch record.message.kind {
    case .bootstrap, .call:
      let method = record.message.interfaceID.map {
        names.method(record.message.methodID ?? 0, of: $0)
      }
      calls.begin(record, Call(method: method ?? "bootstrap", time: record.time))
      return Context(method: method)
    case .return:
      guard let call = calls.returned(record) else { return Context() }
      return Context(method: call.method, latency: record.time - call.time)
    case .finish: return Context(method: calls.finished(record)?.method)
    case .closed: return Context(unanswered: calls.removeAll(of: record.connection).count)
    default: return Context()
    }
  }

  /// Takes the next record: it in words, with the time in seconds and the bytes of the message.
  public mutating func line(for record: TraceRecord) -> String {
    Self.line(for: record, context(of: record))
  }

  /// The record in words, with what it belongs to.
  public static func line(for record: TraceRecord, _ context: Context) -> String {
    var line = "\(seconds(record.time)) #\(record.connection) "
    let isEnd = record.message.kind == .closed
    if !isEnd { line += record.direction == .sent ? "-> " : "<- " }
    line += record.message.words(method: context.method)
    if !isEnd { line += ", \(record.bytes) bytes" }
    if let count = context.unanswered, count > 0 { line += ", \(count) calls without a return" }
    if let latency = context.latency { line += ", after \(milliseconds(latency)) ms" }
    guard record.dropped > 0 else { return line }
    return "(\(record.dropped) records are missing)\n" + line
  }

  /// Calls of connections that are not over which have neither returned nor been finished, oldest
  /// first: the connection, the method, and the time in seconds.
  public var openCalls: [(connection: ConnectionNumber, method: String, seconds: String)] {
    calls.all.sorted { $0.value.time < $1.value.time }
      .map { ($0.connection, $0.value.method, Self.seconds($0.value.time)) }
  }

  /// The time in seconds, to the microsecond.
  static func seconds(_ duration: Duration) -> String { decimal(duration, unit: 1, digits: 6) }

  /// The time in milliseconds, to the microsecond.
  public static func milliseconds(_ duration: Duration) -> String {
    decimal(duration, unit: 1000, digits: 3)
  }

  /// The duration in parts of a second, with as many digits after the point as make microseconds.
  private static func decimal(_ duration: Duration, unit: Int64, digits: Int) -> String {
    let (seconds, attoseconds) = duration.components
    let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
    let microseconds = overflows ? Int64.max : whole &+ attoseconds / 1_000_000_000_000
    let perUnit = 1_000_000 / unit
    let rest = String((microseconds % perUnit).magnitude)
    return "\(microseconds / perUnit)." + String(repeating: "0", count: digits - rest.count) + rest
  }
}
