import CapnProtoNIO
import CapnProtoRPC
import CapnProtoTesting
import Foundation
import Synchronization
import Testing

// Connections over sockets that come and go, with objects, cancelled calls and cuts, in rounds. After
// each round nothing may be left; `make soak` makes it long and looks at the memory of the process.
@Suite(.timeLimit(.minutes(30))) struct SoakTests {
  private static let environment = ProcessInfo.processInfo.environment
  /// How many connections there are in all; nil in a run among other tests.
  private static let length = environment["SOAK_CONNECTIONS"].flatMap { Int($0) }
  private static let objectsPerConnection = 120
  private static let connectionsPerRound = 50

  @Test func `connections that come and go leave nothing behind`() async throws {
    let live = LiveCount()
    let calculator = CalculatorServer(live: live)
    let listener = try await RPCListener.listen(on: .tcp(host: "127.0.0.1", port: 0)) { _ in
      Capability(Calculator.Client.server(calculator))
    }
    let perRound = Self.length == nil ? 10 : Self.connectionsPerRound
    let rounds = (Self.length ?? 20) / perRound
    var memory: [Int] = []
    var tally = Tally()
    let start = ContinuousClock.now
    for round in 0..<rounds {
      tally += try await withThrowingTaskGroup(of: Tally.self) { group in
        for number in 0..<perRound {
          let seed = UInt64(round * perRound + number)
          group.addTask {
            try await Self.work(on: listener, SeededGenerator(seed: seed))
          }
        }
        return try await group.reduce(into: Tally()) { $0 += $1 }
      }
      #expect(await eventually { live.value == 0 }, "\(live.value) objects are left")
      #expect(await eventually { listener.openConnections.isEmpty })
      if let bytes = residentBytes() { memory.append(bytes) }
    }
    await listener.close()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    #expect(tally.connections == perRound * rounds)
    #expect(tally.cuts > 0 && tally.cancels > 0)
    guard Self.length != nil else { return }
    print(
      "soak: \(tally.connections) connections in \(seconds) s, \(live.made) objects, "
        + "\(tally.cancels) cancelled calls, \(tally.cuts) cuts; resident MiB after each round: "
        + memory.map { "\($0 >> 20)" }.joined(separator: " "))
    // The first rounds fill pools and caches. Of each error that is thrown the testing library keeps a
    // backtrace until the test ends: that is some 4 KiB for a connection.
    guard memory.count >= 8 else { return }
    let settled = memory[memory.count / 4..<memory.count / 2].max() ?? 0
    let last = memory.suffix(memory.count / 4).min() ?? 0
    #expect(last < settled + 8 << 20, "memory grows: \(memory)")
  }

  /// One connection, from its start to its end.
  private static func work(
    on listener: RPCListener, _ seeded: SeededGenerator
  ) async throws -> Tally {
    var random = seeded
    var tally = Tally(connections: 1)
    let connection = try await RPCConnector.connect(to: listener.address)
    let cut = Int.random(in: 0..<4, using: &random) == 0
    let end = cut ? Int.random(in: 0..<objectsPerConnection, using: &random) : objectsPerConnection
    await use(connection, objects: end, &random, &tally)
    if cut {
      tally.cuts += 1
      // Calls are still out, and what they were made on is let go of only now.
      if Bool.random(using: &random) {
        connection.close()
      } else {
        connection.abort("cut")
      }
    } else {
      #expect(await eventually { connection.tableSizes == TableSizes() }, "\(connection.tables)")
      connection.close()
    }
    _ = try await connection.closed()
    #expect(await eventually { connection.tableSizes == TableSizes() }, "\(connection.tables)")
    return tally
  }

  private static func use(
    _ connection: RPCConnection, objects: Int, _ random: inout SeededGenerator,
    _ tally: inout Tally
  ) async {
    let calculator = connection.bootstrap(as: Calculator.Client.self)
    var kept: [Value.Client] = []
    for number in 0..<objects {
      let call = calculator.evaluate { $0.initExpression().literal = Double(number) }
      let value = call.pipeline.value
      switch Int.random(in: 0..<6, using: &random) {
      case 0:
        let read = try? await value.read().results { $0.value }
        #expect(read == Double(number))
      case 1:
        let task = Task { try await calculator.wait().finished() }
        task.cancel()
        _ = await task.result
        tally.cancels += 1
      case 2:
        kept.append(value)
        if kept.count > 10 { kept.remove(at: Int.random(in: kept.indices, using: &random)) }
      case 3: _ = value.plus { $0.other = 1 }.pipeline.value.read()
      case 4: _ = try? await call.results()
      // Dropped before it can have returned.
      default: tally.cancels += 1
      }
    }
  }

  private struct Tally: Sendable {
    var connections = 0
    var cancels = 0
    var cuts = 0

    static func += (total: inout Tally, other: Tally) {
      total.connections += other.connections
      total.cancels += other.cancels
      total.cuts += other.cuts
    }
  }

  /// What the process occupies; nil where the system does not tell so.
  private func residentBytes() -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
      return nil
    }
    return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4096 }
  }
}
