import CapnProtoTesting
import Testing

// One seed after the other: with all of them in the queue at once, other tests would wait behind them.
@Suite(.serialized) struct HostilePeerTests {
  @Test(arguments: [2551, 2_032_779] + Array(0..<300 as Range<UInt64>))
  func `a peer that sends anything makes a vat neither trap nor leak`(seed: UInt64) {
    let report = Simulation.runAgainstHostilePeer(seed: seed)
    #expect(report.violations.isEmpty, "seed \(seed)")
  }

  @Test func `the peer is not thrown out at once`() {
    let reports = (0..<50 as Range<UInt64>).map { Simulation.runAgainstHostilePeer(seed: $0) }
    let messages = reports.reduce(0) { $0 + $1.steps }
    let connections = reports.reduce(0) { $0 + $1.connections }
    #expect(messages > 6 * connections, "\(messages) messages over \(connections) connections")
  }
}
