import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Foundation
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct TraceTests {
  private func connect(_ trace: RPCTrace) -> RPCConnection {
    InMemoryNetwork.connect(
      server: Capability(Calculator.Client.server(CalculatorServer())), observers: [trace]
    ).client
  }

  private func records(of trace: RPCTrace) async -> [TraceRecord] {
    trace.finish()
    return await trace.records.reduce(into: []) { $0.append($1) }
  }

  @Test func `calls are traced by name, and their returns with the time`() async throws {
    let trace = RPCTrace()
    let connection = connect(trace)
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let value = calculator.evaluate { $0.initExpression().literal = 40 }.pipeline.value
    #expect(try await value.read().results { $0.value } == 40)
    let records = await records(of: trace)
    var text = TraceText(names: InterfaceNames(Calculator.Client.self, Value.Client.self))
    var lines: [String] = []
    for record in records {
      #expect(record.bytes > 8)
      #expect(record.connection == records.first?.connection)
      // Without the time and the number of the connection, and the time that a call took.
      let words = text.line(for: record).split(separator: " ").dropFirst(2).joined(separator: " ")
      lines.append(
        words.replacing(#/, \d+ bytes(, after \d+\.\d\d\d ms)?/#) { $0.1 == nil ? "" : " in time" })
    }
    // Sent in this order, whatever came in between.
    #expect(
      lines.filter { $0.hasPrefix("-> ") }.prefix(3) == [
        "-> bootstrap 0",
        "-> call 1 calculator.capnp:Calculator.evaluate on promisedAnswer 0",
        "-> call 2 calculator.capnp:Value.read on promisedAnswer 1.0",
      ])
    #expect(
      lines.contains("<- return 0 bootstrap: results in time [senderHosted 0]")
        || lines.contains("<- return 0 bootstrap: results [senderHosted 0] in time"), "\(lines)")
    #expect(lines.contains("<- return 2 calculator.capnp:Value.read: results in time"), "\(lines)")
    #expect(text.openCalls.isEmpty)
    connection.close()
  }

  @Test func `what arrives after the end of a connection is not traced`() async throws {
    let trace = RPCTrace()
    let connection = connect(trace)
    connection.close()
    _ = try await connection.closed()
    connection.receive(
      try MessageReader(flat: [0, 0, 0, 0, 1, 0, 0, 0] + [UInt8](repeating: 0, count: 8)))
    #expect(await records(of: trace).map(\.message.kind) == [.closed])
  }

  @Test func `the end of a connection ends its calls in the text`() async throws {
    let trace = RPCTrace(showsReasons: true)
    let connection = connect(trace)
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let call = calculator.wait()
    connection.close()
    _ = try await connection.closed()
    await #expect(throws: RPCError.self) { try await call.finished() }
    var text = TraceText()
    var last = ""
    for record in await records(of: trace) {
      #expect(record.message.kind == .closed || !text.line(for: record).isEmpty)
      if record.message.kind == .closed {
        #expect(text.openCalls.isEmpty == false)
        last = text.line(for: record)
      }
    }
    #expect(text.openCalls.isEmpty)
    #expect(last.contains(": exception disconnected \"the connection was closed by this side\", "))
    #expect(last.hasSuffix("calls without a return"), "\(last)")
    #expect(!last.contains("->") && !last.contains("bytes"))
  }

  @Test func `the words of errors are traced only where that is asked for`() async throws {
    for showsReasons in [false, true] {
      let trace = RPCTrace(showsReasons: showsReasons)
      let connection = connect(trace)
      let call = connection.bootstrap(as: Calculator.Client.self).fail { $0.reason = "hunter2" }
      await #expect(throws: RPCError.self) { try await call.finished() }
      let failures = await records(of: trace).filter { $0.message.failure == .failed }
      #expect(failures.map(\.message.reason) == [showsReasons ? "hunter2" : nil])
      connection.close()
    }
  }

  @Test func `a reader that is too slow loses records, and the calls go on`() async throws {
    let trace = RPCTrace(limit: 3)
    let connection = connect(trace)
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    for _ in 0..<20 {
      try await calculator.evaluate { $0.initExpression().literal = 1 }.finished()
    }
    var iterator = trace.records.makeAsyncIterator()
    for _ in 0..<3 { #expect(await iterator.next()?.dropped == 0) }
    try await calculator.evaluate { $0.initExpression().literal = 1 }.finished()
    // At least the other calls with their returns.
    #expect(await iterator.next()?.dropped ?? 0 > 37)
    connection.close()
  }

  @Test func `records survive JSON`() async throws {
    let trace = RPCTrace(showsReasons: true)
    let connection = connect(trace)
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    let callback = Callback.Client.server(Recorder())
    _ = try await calculator.echo { $0.callback = callback }.results()
    try? await calculator.fail { $0.reason = "no \"luck\"" }.finished()
    var records = await records(of: trace)
    #expect(records.count > 6)
    records[0].dropped = 7
    for record in records {
      // The time is kept to the nanosecond.
      var expected = record
      let (seconds, attoseconds) = record.time.components
      expected.time = .seconds(seconds) + .nanoseconds(attoseconds / 1_000_000_000)
      let json = try JSONEncoder().encode(record)
      #expect(try JSONDecoder().decode(TraceRecord.self, from: json) == expected)
    }
    connection.close()
  }

  @Test func `whoever observes learns of the connection's end, once`() async throws {
    let witness = Witness()
    let connection = InMemoryNetwork.connect(server: nil, observers: [witness]).client
    connection.close()
    connection.close()
    _ = try await connection.closed()
    #expect(witness.events.withLock { $0 } == ["opened", "closed by this side"])
  }
}

private final class Witness: ConnectionObserver {
  let events = Mutex<[String]>([])
  func connectionOpened(_ connection: ConnectionNumber) { events.withLock { $0.append("opened") } }
  func connectionClosed(_ connection: ConnectionNumber, reason: RPCError) {
    events.withLock { $0.append(reason.reason.replacing("the connection was ", with: "")) }
  }
  func messagePassed(_ event: MessageEvent) {}
}
