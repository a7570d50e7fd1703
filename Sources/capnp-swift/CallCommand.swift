import ArgumentParser
import CapnProto
import CapnProtoNIO
import CapnProtoRPC
import CapnProtoSchema

struct CallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call",
    abstract: "Call a method of a server, and print what it returns.",
    discussion: """
      Calls a method of the capability that the server offers first. Its parameters are written as \
      in the schema language. What follows the method names a field of the results; a capability \
      there can be called in turn, and all calls go out in one round trip:

        capnp-swift call host:4000 a.capnp 'find(title = "Ada").book.name()'

      The results of the last call are printed, or the field of them that the chain ends with. The \
      exit status is 1 if a call fails, 2 if the call does not fit the schema.
      """)

  @Argument(help: "Where the server listens: HOST:PORT, [IPV6]:PORT or unix:PATH.")
  var address: String

  @Argument(help: "The file that declares the server's interface.")
  var schema: String

  @Argument(help: "What to call, as 'method(parameter = value).field.method()'.")
  var expression: String

  @Option(
    help: """
      The interface that the server offers first, as Outer.Inner. Without this option, the only \
      one that the file declares.
      """)
  var interface: String?

  @Flag(help: "Print a struct as JSON.")
  var json = false

  @Flag(help: "Print on one line.")
  var short = false

  @Flag(help: "Print the messages that pass, in words, to the standard error.")
  var trace = false

  @Option(help: "How long the server may take, in seconds: 1 to \(longestTimeout), a day.")
  var timeout = 10

  private static let longestTimeout = 86_400

  @OptionGroup var schemas: SchemaOptions

  func validate() throws {
    guard (1...Self.longestTimeout).contains(timeout) else {
      throw ValidationError("--timeout must be from 1 to \(Self.longestTimeout) s")
    }
  }

  func run() async throws {
    let expression = try CallExpression(parsing: expression)
    let (schema, file) = try schemas.load(schema)
    let interface = try offered(in: schema, file)
    let answer: [UInt8]
    do {
      answer = try await withTrace(of: schema) { observers in
        try await call(expression, on: interface, of: schema, observers)
      }
    } catch let error as CommandFailure {
      throw error
    } catch {
      throw CommandFailure.message("\(error)")
    }
    // A server's text, wherever it goes.
    let shown = (json ? PrintedForm.json : .text).escapedForDisplay(answer)
    try StandardOutput.write(shown + [UInt8(ascii: "\n")])
  }

  /// Makes the calls, and writes the results as they are to be printed.
  private func call(
    _ expression: CallExpression, on interface: UInt64, of schema: Schema,
    _ observers: [any ConnectionObserver]
  ) async throws -> [UInt8] {
    let deadline = ContinuousClock.now + .seconds(timeout)
    let address = try RPCAddress(parsing: address)
    let connection = try await RPCConnector.connect(
      to: address, timeout: .seconds(timeout), observers: observers)
    let alarm = Task { [timeout] in
      try await Task.sleep(until: deadline)
      connection.disconnect(.disconnected("no answer within \(timeout) s (--timeout)"))
    }
    defer {
      alarm.cancel()
      connection.close()
    }
    connection.cork()
    var call = DynamicCall(
      connection.bootstrapCapability(), interface: interface, in: schema)
    // However long that takes, and however near the vat is, all goes out together.
    for step in expression.steps { try call.take(step) }
    connection.uncork()
    let (json, isPretty) = (json, !short)
    return try await call.result { value in
      guard json else { return try TextCodec(isPretty: isPretty).encode(value) }
      guard case .structure(let structure) = value else {
        throw CommandFailure.usage("--json prints structs; this is another value")
      }
      return try JSONCodec(isPretty: isPretty).encode(structure)
    }
  }

  /// Calls the body with what observes its connections, and prints the messages that pass.
  private func withTrace<Value>(
    of schema: Schema, _ body: ([any ConnectionObserver]) async throws -> Value
  ) async throws -> Value {
    guard trace else { return try await body([]) }
    // Whoever makes the call may see why it failed.
    let trace = RPCTrace(showsReasons: true)
    let names = InterfaceNames(schema)
    let printing = Task {
      var text = TraceText(names: names)
      // The records are taken to the end, so that the call is not held up by what it prints.
      var failure: CommandFailure?
      for await record in trace.records where failure == nil {
        do {
          try StandardError.write(text.line(for: record))
        } catch {
          failure = .output("the trace cannot be written: \(error.inWords)")
        }
      }
      if let failure { throw failure }
    }
    let result: Result<Value, any Error>
    do {
      result = .success(try await body([trace]))
    } catch {
      result = .failure(error)
    }
    trace.finish()
    let printed = await printing.result
    let value = try result.get()
    try printed.get()
    return value
  }

  /// The interface that the server offers first.
  private func offered(in loaded: Schema, _ file: UInt64) throws -> UInt64 {
    if let interface {
      guard let node = loaded.node(named: interface, in: file), node.interface != nil else {
        throw CommandFailure.schema("\(schema): there is no interface '\(interface)'")
      }
      return node.id
    }
    let nested = loaded.nodes[file]?.nested ?? []
    let interfaces = nested.filter { loaded.nodes[$0.id]?.interface != nil }
    guard interfaces.count == 1 else {
      throw CommandFailure.usage(
        interfaces.isEmpty
          ? "\(schema) declares no interface"
          : "\(schema) declares several interfaces: name the one that the server offers first with "
            + "--interface, of " + interfaces.map(\.name).joined(separator: ", "))
    }
    return interfaces[0].id
  }
}
