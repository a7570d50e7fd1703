import CapTP
import CapnProto
import CapnProtoRPC
import Synchronization
import Testing

/// Wants to write each eighth message, and looks at its connection when it is told to.
private final class GatheringTransport: MessageTransport {
  let given = Mutex(0)
  let written = Mutex<[Int]>([])
  let connection = Mutex<RPCConnection?>(nil)

  func send(_ message: SharedMessage, with descriptors: [OpenDescriptor]) -> Bool {
    given.withLock { given in
      given += 1
      return given % 8 == 0
    }
  }
  func close() {}
  func setReading(_ isReading: Bool) {}

  func writeGathered() {
    // Waits for ever where the connection is at work.
    _ = connection.withLock { $0 }?.tableSizes
    let count = given.withLock { $0 }
    written.withLock { $0.append(count) }
  }
}

@Suite(.timeLimit(.minutes(5))) struct GatheringTests {
  @Test func `a transport is told to write when it wants to`() {
    let transport = GatheringTransport()
    let connection = RPCConnection(bootstrap: nil, transport: transport, executor: TurnQueue())
    transport.connection.withLock { $0 = connection }
    let object = connection.bootstrapCapability()
    let calls = (1...31).map { _ in object.call(interfaceID: 1, methodID: 0) { _ in } }
    #expect(transport.written.withLock { $0 } == [8, 16, 24, 32])
    withExtendedLifetime(calls) {}
    transport.connection.withLock { $0 = nil }
    connection.close()
  }

  @Test func `a transport is told to write what was kept back`() {
    let transport = GatheringTransport()
    let connection = RPCConnection(bootstrap: nil, transport: transport, executor: TurnQueue())
    connection.cork()
    let objects = (1...9).map { _ in connection.bootstrapCapability() }
    #expect(transport.given.withLock { $0 } == 0)
    connection.uncork()
    #expect(transport.written.withLock { $0 } == [9])
    withExtendedLifetime(objects) {}
    connection.close()
  }

  /// Takes messages in order.
  private final class RecordingTransport: MessageTransport {
    let kinds = Mutex<[String]>([])

    func send(_ message: SharedMessage, with descriptors: [OpenDescriptor]) -> Bool {
      kinds.withLock { $0.append(MessageSummary(message.reader).kind.rawValue) }
      return false
    }
    func close() {}
  }

  /// Never gets to its work.
  private struct BusyExecutor: ConnectionExecutor {
    let isCurrent = false
    func execute(_ work: @escaping @Sendable () -> Void) {}
  }

  @Test func `what was dropped goes out with the next call`() {
    let transport = RecordingTransport()
    let connection = RPCConnection(bootstrap: nil, transport: transport, executor: BusyExecutor())
    _ = connection.bootstrapCapability()
    #expect(transport.kinds.withLock { $0 } == ["bootstrap"])
    let object = connection.bootstrapCapability()
    #expect(transport.kinds.withLock { $0 } == ["bootstrap", "finish", "bootstrap"])
    withExtendedLifetime(object) {}
    connection.close()
  }
}
