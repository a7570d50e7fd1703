import CapTP
import CapnProtoRPC
import CapnProtoTesting
import Synchronization
import Testing

/// What an object does as it goes may use the connection: it is let go of where no lock is held.
@Suite(.timeLimit(.minutes(5))) struct LetGoTests {
  /// Sees how an object goes.
  final class Witness: Sendable {
    private let connection = Mutex<RPCConnection?>(nil)
    private let partings = Mutex<[Bool]>([])
    /// For each object that has gone, whether the connection's lock was held.
    var wereLocked: [Bool] { partings.withLock { $0 } }

    func watch(_ other: RPCConnection) { connection.withLock { $0 = other } }
    func part() {
      let isLocked = connection.withLock { $0 }?.isLocked ?? false
      partings.withLock { $0.append(isLocked) }
    }
  }
  final class Leaving: Value.ImmediateServer {
    let witness: Witness
    init(_ witness: Witness) { self.witness = witness }
    deinit { witness.part() }
    func read(_ call: Value.ReadCall) {}
    func plus(_ call: Value.PlusCall) {}
  }
  /// Gives away objects that it does not keep.
  final class Giver: Calculator.PartialServer {
    let witness = Witness()
    func evaluate(_ call: Calculator.EvaluateCall) async throws {
      call.reply { $0.value = .server(Leaving(witness)) }
    }
  }

  @Test(arguments: [false, true])
  func `an object of a corked answer that nobody wants any more goes without a lock`(
    closes: Bool
  ) async throws {
    let giver = Giver()
    let (client, server) = InMemoryNetwork.connect(
      server: Capability(Calculator.Client.server(giver)))
    giver.witness.watch(server)
    server.cork()
    let calculator = client.bootstrap(as: Calculator.Client.self)
    var call: RemoteCall? = calculator.evaluate { _ in }
    #expect(await eventually { server.tableSizes.exports == 2 })
    withExtendedLifetime(call) {}
    call = nil
    #expect(await eventually { server.tableSizes.exports == 1 })
    #expect(giver.witness.wereLocked == [])
    if closes { server.close() } else { server.uncork() }
    #expect(await eventually { !giver.witness.wereLocked.isEmpty })
    #expect(giver.witness.wereLocked == [false])
    server.close()
    client.close()
  }

  @Test func `whether a call is spared may be asked of the membrane itself`() async throws {
    let membrane = Membrane()
    let waiting = Waiting()
    let calculator = membrane.wrap(Calculator.Client.server(waiting))
    let call = calculator.evaluate { _ in }
    #expect(await eventually { waiting.count == 1 })
    membrane.revoke(.failed("closed")) { _, _ in membrane.failure == nil }
    await #expect(throws: RPCError.self) { try await call.finished() }
  }

  final class Waiting: Calculator.PartialServer {
    private let calls = Atomic(0)
    var count: Int { calls.load(ordering: .relaxed) }
    func evaluate(_ call: Calculator.EvaluateCall) async throws {
      calls.add(1, ordering: .relaxed)
      try await Task.sleep(for: .seconds(60))
    }
  }
}
