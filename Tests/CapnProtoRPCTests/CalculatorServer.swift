import CapnProto
import CapnProtoRPC
import Synchronization
import Testing

/// Counts objects that are alive, to see that they are released.
final class LiveCount: Sendable {
  private let count = Mutex((live: 0, made: 0))
  func add(_ number: Int) {
    count.withLock { $0 = ($0.live + number, $0.made + max(number, 0)) }
  }
  var value: Int { count.withLock { $0.live } }
  /// How many there have been.
  var made: Int { count.withLock { $0.made } }
}

final class CalculatorServer: Calculator.Server {
  let live: LiveCount
  let cancelled = LiveCount()
  private let resolver = Mutex<(CapabilityResolver, Value.Client)?>(nil)

  init(live: LiveCount = LiveCount()) { self.live = live }

  func evaluate(_ call: EvaluateCall) async throws {
    let number: Double
    switch try Operand(call.params.expression) {
    case .number(let literal): number = literal
    case .value(let value): number = try await value.read().results { $0.value }
    case .sum(let left, let right):
      let first = left.read()
      let second = right.read()
      number =
        try await first.results { $0.value } + second.results { $0.value }
    }
    call.reply { $0.value = .server(ValueServer(number, live)) }
  }

  func fail(_ call: FailCall) async throws {
    let kind = RPCError.Kind(rawValue: try call.params.kind) ?? .failed
    throw RPCError(kind, try call.params.reason.string)
  }

  func wait(_ call: WaitCall) async throws {
    // No sleep: one that is cancelled stays in memory until its time is over.
    let (never, continuation) = AsyncStream<Never>.makeStream()
    for await _ in never {}
    withExtendedLifetime(continuation) {}
    cancelled.add(1)
    throw CancellationError()
  }

  func use(_ call: UseCall) async throws {
    guard let callback = try call.params.callback else {
      throw RPCError.failed("no callback was given")
    }
    var sum: UInt64 = 0
    for number in 0..<UInt64(try call.params.times) {
      sum += try await callback.call { $0.number = number }.results { $0.number }
    }
    call.reply { $0.sum = sum }
  }

  func echo(_ call: EchoCall) async throws {
    let callback = try call.params.callback
    call.reply { $0.callback = callback }
  }

  func later(_ call: LaterCall) async throws {
    let (promise, resolver) = Capability.promise()
    guard let value = try call.params.value else { throw RPCError.failed("no value") }
    self.resolver.withLock { $0 = (resolver, value) }
    call.reply { $0.value = promise.cast() }
  }

  func settle(_ call: SettleCall) async throws {
    let settled = resolver.withLock { resolver in
      defer { resolver = nil }
      return resolver
    }
    settled?.0.resolve(
      settled.map { Capability($0.1) } ?? Capability(broken: .failed("nothing")))
  }
}

/// An expression without the message it came in.
private enum Operand {
  case number(Double)
  case value(Value.Client)
  case sum(Value.Client, Value.Client)

  init(_ expression: Expression.Reader) throws {
    switch try expression.which {
    case .literal(let number): self = .number(number)
    case .previous(let value): self = .value(try Operand.required(value))
    case .sum(let sum):
      self = .sum(try Operand.required(sum.left), try Operand.required(sum.right))
    case .unknown(let number): throw RPCError.unimplemented("operation \(number) is not known")
    }
  }

  static func required(_ value: Value.Client?) throws -> Value.Client {
    guard let value else { throw RPCError.failed("an operand is missing") }
    return value
  }
}

final class ValueServer: Value.Server {
  private let value: Double
  private let live: LiveCount

  init(_ value: Double, _ live: LiveCount) {
    self.value = value
    self.live = live
    live.add(1)
  }

  deinit { live.add(-1) }

  func read(_ call: ReadCall) async throws { call.reply { $0.value = value } }

  func plus(_ call: PlusCall) async throws {
    let sum = value + (try call.params.other)
    call.reply { $0.value = .server(ValueServer(sum, live)) }
  }
}

/// Notes the order in which it is called.
actor Recorder: Callback.Server {
  private(set) var numbers: [UInt64] = []

  func call(_ call: CallCall) async throws {
    let number = try call.params.number
    numbers.append(number)
    call.reply { $0.number = number * 2 }
  }
}

/// Calls a callback of this side, which the peer gives back, before and after that is known.
func expectOrder(through connection: RPCConnection) async throws {
  let calculator = connection.bootstrap(as: Calculator.Client.self)
  let recorder = Recorder()
  let echo = calculator.echo { $0.callback = .server(recorder) }
  let promised = echo.pipeline.callback
  var calls: [RemoteCall<Callback.CallResults.Reader, NoPipeline>] = []
  for number in 0..<100 as Range<UInt64> { calls.append(promised.call { $0.number = number }) }
  _ = try await echo.results()
  for number in 100..<200 as Range<UInt64> { calls.append(promised.call { $0.number = number }) }
  for call in calls { _ = try await call.results() }
  #expect(await recorder.numbers == Array(0..<200))
}
