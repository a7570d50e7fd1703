import CapTP
import CapnProto
import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

/// Sends bytes along with calls, and notes what comes with the peer's.
private final class Porter: ConnectionObserver {
  private let bytes: [UInt8]
  let received = Mutex<[[UInt8]?]>([])

  init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  func messagePassed(_ event: MessageEvent) {
    guard event.direction == .received, event.message.kind == .call else { return }
    received.withLock { $0.append(event.baggage) }
  }

  func baggage(of event: MessageEvent) -> [UInt8] { bytes }
}

/// Takes messages and forgets them.
private struct NowhereTransport: MessageTransport {
  func send(_ message: SharedMessage, with descriptors: [OpenDescriptor]) -> Bool { false }
  func close() {}
}

@Suite(.timeLimit(.minutes(5))) struct BaggageTests {
  @Test(arguments: [1, 7, 8, 9, 4096])
  func `bytes travel with a call, and the call is what it was`(count: Int) async throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let porter = Porter()
    let object = Value.Client.server(ValueServer(3, LiveCount()))
    let value: Value.Client = InMemoryNetwork.connect(
      server: Capability(object), observers: [Porter(bytes)], serverObservers: [porter]
    ).client.bootstrap()
    let sum = value.plus { $0.other = 4 }
    #expect(try await sum.pipeline.value.read().results { $0.value } == 7)
    #expect(porter.received.withLock { $0 } == [bytes, bytes])
  }

  @Test(arguments: [0, 4097])
  func `no bytes, and too many, do not travel`(count: Int) async throws {
    let porter = Porter()
    let object = Value.Client.server(ValueServer(3, LiveCount()))
    let value: Value.Client = InMemoryNetwork.connect(
      server: Capability(object), observers: [Porter([UInt8](repeating: 1, count: count))],
      serverObservers: [porter]
    ).client.bootstrap()
    #expect(try await value.read().results { $0.value } == 3)
    #expect(porter.received.withLock { $0 } == [nil])
  }

  /// A last segment of a peer's call, and what is found in it.
  @Test(
    arguments: [
      ([0x9d3c_61f4_b82e_07a5, 3, 0x0000_0000_0003_0201], [1, 2, 3]),
      ([0x9d3c_61f4_b82e_07a5, 0], []),
      ([0x9d3c_61f4_b82e_07a5, 8], nil),
      ([0x9d3c_61f4_b82e_07a5, .max, 1], nil),
      ([0x9d3c_61f4_b82e_07a5, 4097] + [UInt64](repeating: 0, count: 600), nil),
      ([0x9d3c_61f4_b82e_07a5], nil),
      ([0x9d3c_61f4_b82e_07a6, 1, 1], nil),
      ([], nil),
    ] as [([UInt64], [UInt8]?)])
  func `a peer may send any last segment`(words: [UInt64], bytes: [UInt8]?) throws {
    let porter = Porter()
    let connection = RPCConnection(
      bootstrap: Capability(Value.Client.server(ValueServer(3, LiveCount()))),
      transport: NowhereTransport(), executor: TurnQueue(), observers: [porter])
    let message = MessageBuilder()
    message.build(Message.Builder.self) {
      let call = $0.initCall()
      call.questionId = 1
      call.initTarget().initPromisedAnswer().questionId = 9
      _ = call.initParams()
    }
    let segment = words.flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    let frame = try SharedMessage(message.freeze()).appending(segment: segment).flattened()
    connection.receive(try MessageReader(flat: frame))
    #expect(porter.received.withLock { $0 } == [bytes])
    connection.close()
  }

  @Test func `a segment of bytes that are no words is refused`() throws {
    let message = MessageBuilder()
    message.build(Message.Builder.self) { _ = $0.initCall() }
    let shared = try SharedMessage(message.freeze())
    #expect(throws: FramingError.self) { try shared.appending(segment: [1, 2, 3]) }
  }
}
