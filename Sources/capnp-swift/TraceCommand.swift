import ArgumentParser
import CapnProto
import CapnProtoRPC
import Foundation

struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Print a trace of RPC in words.",
    discussion: """
      Reads the lines of JSON that a program has recorded with RPCTrace, and prints each message: \
      when it passed, which way ('->' is sent), what it is about, its length, and how long a call \
      took to its return. Then come the methods with the times of their calls, and the calls that \
      have not returned.
      """)

  @Argument(help: "The recorded trace; '-' for the standard input.")
  var file: String

  @Option(help: "A schema whose interfaces and methods are called by their names.")
  var schema: String?

  @Flag(help: "Print lines of JSON, with the methods' names and the calls' times in nanoseconds.")
  var json = false

  @OptionGroup var schemas: SchemaOptions

  func run() throws {
    let names = try schema.map { InterfaceNames(try schemas.load($0).schema) } ?? InterfaceNames()
    var text = TraceText(names: names)
    var times = CallTimes()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var lines = try TraceLines(file)
    while let record = try lines.next() {
      let context = text.context(of: record)
      times.add(record, context)
      if json {
        let line = try encoder.encode(AnnotatedRecord(record: record, context: context))
        try StandardOutput.write(Array(line) + [UInt8(ascii: "\n")], of: .json)
      } else {
        try StandardOutput.write(line: TraceText.line(for: record, context))
      }
    }
    guard !json else { return }
    for line in times.lines { try StandardOutput.write(line: line.escapedForDisplay) }
    for call in text.openCalls {
      try StandardOutput.write(
        line: "no return of \(call.method.escapedForDisplay), called on #\(call.connection) "
          + "at \(call.seconds) s")
    }
  }
}

/// A record with what its message belongs to.
private struct AnnotatedRecord: Encodable {
  private enum CodingKeys: String, CodingKey { case name, latency }
  let record: TraceRecord
  let context: TraceText.Context

  func encode(to encoder: any Encoder) throws {
    try record.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encodeIfPresent(context.method, forKey: .name)
    try fields.encodeIfPresent(context.latency.map { $0 / .nanoseconds(1) }, forKey: .latency)
  }
}

/// How long the calls of each method took.
private struct CallTimes {
  private struct Method {
    var latencies: [Duration] = []
    var failures = 0
  }
  private var methods: [String: Method] = [:]

  mutating func add(_ record: TraceRecord, _ context: TraceText.Context) {
    guard let name = context.method, let latency = context.latency else { return }
    methods[name, default: Method()].latencies.append(latency)
    if record.message.failure != nil {
      methods[name, default: Method()].failures += 1
    }
  }

  /// The method with the most time first.
  var lines: [String] {
    let all = methods.map { ($0.key, $0.value, $0.value.latencies.reduce(.zero, +)) }
    return all.sorted { ($0.2, $1.0) > ($1.2, $0.0) }.map { name, method, _ in
      let sorted = method.latencies.sorted()
      let (median, longest) = (sorted[sorted.count / 2], sorted[sorted.count - 1])
      return "\(name): \(sorted.count) returns, \(method.failures) failed, "
        + "median \(TraceText.milliseconds(median)) ms, longest \(TraceText.milliseconds(longest)) ms"
    }
  }
}

/// The records of a file, one line after the other.
private struct TraceLines {
  private let name: String
  private let input: FileHandle
  private var bytes: [UInt8] = []
  private var start = 0
  private var line = 0
  private var isAtEnd = false
  private let decoder = JSONDecoder()
  /// Longer than any that is recorded.
  private static let lineLimit = 1 << 20

  init(_ name: String) throws {
    self.name = name
    guard name != "-" else {
      input = .standardInput
      return
    }
    guard let input = FileHandle(forReadingAtPath: name) else {
      throw CommandFailure.message("\(name): the file cannot be read")
    }
    self.input = input
  }

  /// The next record; nil at the end.
  mutating func next() throws -> TraceRecord? {
    while true {
      if let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        if let record = try record(bytes[start..<end]) { return record }
      } else if isAtEnd {
        defer { start = bytes.count }
        return try record(bytes[start...])
      } else {
        try read()
      }
    }
  }

  private mutating func read() throws {
    bytes.removeFirst(start)
    start = 0
    guard bytes.count <= Self.lineLimit else { throw failure("the line is too long") }
    do {
      let more = try input.read(upToCount: 1 << 16) ?? Data()
      isAtEnd = more.isEmpty
      bytes += more
    } catch {
      throw CommandFailure.message("\(name) cannot be read: \(error.inWords)")
    }
  }

  private mutating func record(_ bytes: ArraySlice<UInt8>) throws -> TraceRecord? {
    line += 1
    guard !bytes.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) else {
      return nil
    }
    do {
      return try decoder.decode(TraceRecord.self, from: Data(bytes))
    } catch Swift.DecodingError.dataCorrupted(let context) {
      throw failure(context.debugDescription)
    } catch Swift.DecodingError.keyNotFound(let key, _) {
      throw failure("'\(key.stringValue)' is missing")
    } catch {
      throw failure("no record of a trace")
    }
  }

  private func failure(_ problem: String) -> CommandFailure {
    .message("\(name):\(line): \(problem)")
  }
}
